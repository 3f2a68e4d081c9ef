/** What a program logs anyway, as events: `console`, and any logger that writes pino's lines (pino itself: see the README). */
import { open } from "@datacat/client";
import { captureConsole } from "@datacat/client/console";
import { destination } from "@datacat/client/pino";

const session = open({ product: "logging-example", version: "1.0.0" });

// console: printed as ever, and recorded.
const stop = captureConsole(session);
console.info("listening on", 8080);
console.warn("cache is cold");
console.error("request failed:", new TypeError("no such field"));
stop();
console.info("this one is only printed");

// With pino: const logger = pino({ name: "shop" }, destination(session))
const log = destination(session);
log.write(
  `{"level":30,"time":1790000000000,"pid":1,"hostname":"x","name":"shop","order":17,"msg":"order placed"}\n`,
);
log.write(
  `{"level":50,"time":1790000000001,"name":"shop","err":{"type":"CardError","message":"declined","stack":"CardError: declined\\n    at pay (shop.js:3:7)"},"msg":"payment failed"}\n`,
);

session.end();
console.log(session.id);
