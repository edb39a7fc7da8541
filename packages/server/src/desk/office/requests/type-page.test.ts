import type { RequestTimes, RequestType } from "@latchkey/protocol/desk";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { requestTypes } from "./type-rows.ts";

const page = fileURLToPath(new URL("../../../../../../docs/request-types.md", import.meta.url));

const head = `# Types of requests, and where each was read

This page is made from the table by which the desk counts (\`packages/server/src/desk/office/requests/type-rows.ts\`); a test fails where the two differ. It is not legal advice. What says *not checked* was not read in the law, or in who printed it, by anybody of this project: neither is any date that is counted by it. Each administrator of a desk may put rows right there, and what they change stands in the trail.

| Type | From | Law | May order | Times | Copy | Who tells the person | What the desk answers | Read |
|---|---|---|---|---|---|---|---|---|
`;

const owners = { us: "the server", authority: "the authority", none: "nobody" } as const;

test("[F-6] the page of types says what the desk counts by", async () => {
  const remarks = requestTypes.flatMap(({ title, remark }) => (remark === undefined ? [] : [`- **${title}**: ${remark}`]));
  const text = `${head}${requestTypes.map(line).join("\n")}\n\n## What to know of each\n\n${remarks.join("\n")}\n`;
  await expect(text).toMatchFileSnapshot(page);
});

function line(type: RequestType): string {
  const { title, region, basis, categories, times, preservation, notice, answer, source, checkedOn } = type;
  const copy =
    preservation === undefined
      ? "–"
      : `${preservation.isAtIntake ? "on receipt, " : ""}${preservation.period}${preservation.extension === undefined ? "" : ` + ${preservation.extension}`}`;
  const cells = [
    title,
    region === "*" ? "anywhere" : region,
    basis,
    categories.length === 0 ? "–" : categories.join(", "),
    timesText(times),
    copy,
    owners[notice],
    answer,
    checkedOn === undefined ? `*not checked*: ${source}` : `${checkedOn}: ${source}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function timesText({ notBefore, isNotBeforeIfNotified, deadline, emergencyDeadline, extension, validation }: RequestTimes): string {
  const parts = [
    deadline === undefined ? undefined : `${deadline}${extension === undefined ? "" : ` + ${extension}`}`,
    notBefore === undefined
      ? undefined
      : `not before ${notBefore}${isNotBeforeIfNotified === true ? " where an authority was notified" : ""}`,
    emergencyDeadline === undefined ? undefined : `emergency ${emergencyDeadline}`,
    validation === undefined ? undefined : `validated within ${validation}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "as the request says" : parts.join("; ");
}
