/** Attaches what the commands on its input ask for, and prints each name once the call has returned. `programs` in attachments.test.ts has them. */
import { createInterface } from "node:readline";
import { writeSync } from "node:fs";
import { open } from "../../../clients/typescript/node.ts";

const session = open({ product: "attach" });
const print = (line) => writeSync(1, `${line}\n`);
const attach = (number, size) => {
  session.attach(`${number}.bin`, new Uint8Array(size).fill(number % 256));
  print(number);
};
print(session.id);
createInterface({ input: process.stdin }).on("line", (line) => {
  const [command, count, size] = line.split(" ");
  if (command === "loop") for (let i = 1; ; i++) attach(i, (i * 7_919) % 60_000);
  if (command === "attach") for (let i = 1; i <= count; i++) attach(i, Number(size));
  if (command === "end") session.end();
  print(command);
});
