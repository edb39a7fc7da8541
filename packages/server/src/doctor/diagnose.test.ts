import { expect, test } from "vitest";
import { runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { diagnose } from "./diagnose.ts";

test("the disk is judged by the reserve that the server keeps: as the operator set it", async () => {
  const dataDirectory = temporaryDirectory();
  await (await runServer({ dataDirectory })).close();
  const disk = async (limitSettings: readonly string[]): Promise<string | undefined> =>
    (await diagnose({ port: 0, dataDirectory, limitSettings })).find(({ topic }) => topic === "disk")?.message;
  expect(await disk(["minFreeBytes=999999999999999"])).toMatch(/files are refused below \d{10} MB/);
  expect(await disk(["minFreeBytes=0"])).not.toContain("below");
});
