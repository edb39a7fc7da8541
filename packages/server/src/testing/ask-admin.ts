import { request } from "node:http";
import { join } from "node:path";

/** One command over the socket, as `latchkey admin` sends it. */
export function ask(
  dataDirectory: string,
  command: string,
  params: object = {},
  method = "POST",
): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: join(dataDirectory, "admin.sock"), method, path: `/${command}` }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown }));
    });
    sent.on("error", reject);
    sent.end(method === "POST" ? JSON.stringify(params) : undefined);
  });
}

/** The answer of a command that is done. */
export async function answer(dataDirectory: string, command: string, params: object = {}): Promise<Record<string, unknown>> {
  const { status, body } = await ask(dataDirectory, command, params);
  if (status !== 200) throw new Error(`not done: ${JSON.stringify(body)}`);
  // Answers are JSON objects.
  return body as Record<string, unknown>;
}
