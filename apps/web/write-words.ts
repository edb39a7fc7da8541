// node tools/run.js apps/web/write-words.ts: writes the types of all messages (npm run words).
import { readFileSync, writeFileSync } from "node:fs";
import { readCatalogue, writeIds } from "./src/messages/catalogue.ts";

const file = (name: string): URL => new URL(`./src/messages/${name}`, import.meta.url);
writeFileSync(file("ids.ts"), writeIds(readCatalogue(readFileSync(file("en.po"), "utf8"))));
