import { describe, expect, test } from "vitest";
import { createCountFiles } from "./count-files.ts";

const period = 4053;

/** What becomes of a log that is answered so. */
async function logOf(answer: Response): Promise<unknown> {
  const platform = { fetch: async () => answer, setTimer: () => () => undefined };
  return await createCountFiles({ platform, baseUrl: "https://a.example" })
    .log(period)
    .catch((error: unknown) => error);
}

const json = (status: number, value: unknown): Response => new Response(JSON.stringify(value), { status });

describe("the files of a public count", () => {
  test("[E-79] that there is none of a half-year the server says with its code; what something in between says instead is no such word", async () => {
    expect(await logOf(json(404, { code: "not_found" }))).toBeUndefined();
    expect(await logOf(new Response("<h1>Not found</h1>", { status: 404 }))).toMatchObject({ code: "way_blocked" });
    expect(await logOf(json(404, { error: "not found" }))).toMatchObject({ code: "way_blocked" });
    expect(await logOf(new Response("", { status: 403 }))).toMatchObject({ code: "way_blocked" });
    expect(await logOf(new Response("", { status: 502 }))).toMatchObject({ code: "server_down" });
  });

  test("[E-79] who refuses for now is told as that, and not as being offline; so is who sends more than any log has", async () => {
    expect(await logOf(json(429, { code: "rate_limited" }))).toMatchObject({ code: "rate_limited" });
    expect(await logOf(json(500, { code: "internal" }))).toMatchObject({ code: "server_refused", canRetry: true });
    expect(await logOf(new Response(new Uint8Array(17_000_000)))).toMatchObject({ code: "way_blocked" });
  });
});
