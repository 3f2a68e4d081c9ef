/** Mounts the pages, in the frame and under the rules that all of them share. */
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { Env } from "../env.ts";
import { answerError, answerUnknown } from "./error.tsx";
import { icons } from "./icon.ts";
import { layout } from "./layout.tsx";
import { preferences } from "./preferences.tsx";
import { session } from "./session.tsx";

export const pages = new Hono<{ Bindings: Env }>();

pages.use(
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    referrerPolicy: "same-origin",
  }),
);
pages.use(layout);
pages.onError(answerError);
pages.notFound(answerUnknown);

pages.route("/", preferences);
pages.route("/", icons);
pages.route("/", session);
