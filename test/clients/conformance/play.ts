/** Makes the calls of golden fixtures with a real client, and prints the name and the session of each: `play.ts lane|direct NAME … -- …`. */
import { open } from "../../../clients/typescript/node.ts";
import { play } from "../typescript/golden.ts";
import { readFixture } from "./fixtures.ts";

const [way, ...args] = process.argv.slice(2);
const names = args.slice(0, args.indexOf("--"));
for (const name of names) {
  const { calls, environment = {} } = readFixture(name);
  Object.assign(process.env, environment);
  const session = play(calls, (start) => open({ ...start, direct: way === "direct" }));
  for (const key of Object.keys(environment)) delete process.env[key];
  session?.end();
  await session?.flush(30_000);
  console.log(`${name} ${session?.id}`);
}
