// A witness in a process of its own, for the tests that kill it: prints its URL and keys.
import { startWitness } from "../witness.ts";

const [serverUrl = "", keyPath = ""] = process.argv.slice(2);
const witness = await startWitness({ serverUrl, keyPath, name: "w.example", listen: "127.0.0.1:0" });
process.stdout.write(`${JSON.stringify({ url: witness.url, logKey: witness.logKey, mapKey: witness.mapKey })}\n`);
