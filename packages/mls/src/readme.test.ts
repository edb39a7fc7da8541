import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, it, vi } from "vitest";

it("the README's example runs as it stands", async () => {
  const readme = readFileSync(fileURLToPath(new URL("../README.md", import.meta.url)), "utf8");
  const [, example] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  if (example === undefined) throw new Error("an example in the README");
  const directory = fileURLToPath(new URL("../.tsbuild/", import.meta.url));
  mkdirSync(directory, { recursive: true });
  const path = `${directory}readme-example.ts`;
  writeFileSync(path, `${example}\nexport {};\n`);
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    await import(pathToFileURL(path).href);
    expect(log.mock.calls).toEqual([["Hello"]]);
  } finally {
    log.mockRestore();
  }
});
