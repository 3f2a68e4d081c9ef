/** Prints wrangler.toml, the argument, as Miniflare's options of a Worker. A process of its own, because wrangler takes 100 MiB. */
import { unstable_getMiniflareWorkerOptions } from "wrangler";

const [config = ""] = process.argv.slice(2);
const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
process.stdout.write(JSON.stringify(workerOptions));
