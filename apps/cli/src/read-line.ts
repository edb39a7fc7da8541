import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** The next line of a stream, without its end; "" at its end. */
export async function readLine(input: NodeJS.ReadStream): Promise<string> {
  const lines = createInterface({ input });
  try {
    for await (const line of lines) return line;
    return "";
  } finally {
    lines.close();
  }
}

/**
 * The same of what nobody else is to read, asked for by `prompt` on `output`: a terminal shows nothing of what is typed. Ctrl+C ends the
 * process as anywhere else.
 */
export async function readSecret(prompt: string, input: NodeJS.ReadStream, output: { write(text: string): unknown }): Promise<string> {
  if (!input.isTTY) {
    output.write(prompt);
    return readLine(input);
  }
  // The editor of lines takes the echo from the terminal, and writes its own to nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const editor = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  output.write(prompt);
  const { promise, resolve } = Promise.withResolvers<string>();
  editor.once("line", resolve);
  editor.once("close", () => resolve(""));
  editor.once("SIGINT", () => {
    editor.close();
    process.kill(process.pid, "SIGINT");
  });
  const line = await promise;
  editor.close();
  output.write("\n");
  return line;
}
