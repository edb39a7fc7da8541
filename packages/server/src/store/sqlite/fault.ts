import type { StoreFaultParts } from "../../errors.ts";

/** An operation whose transaction failed; `fault` says why where there is room and the disk works. */
export interface Failed {
  readonly kind: "failed";
  readonly full: boolean;
  readonly fault?: StoreFaultParts;
}

/** What of an error may be told: for SQLite its number and fixed words, never its message, which may hold values. */
export function faultOf(error: unknown): StoreFaultParts {
  if (!(error instanceof Error)) return { name: "unknown", stack: "" };
  const stack = (error.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at "));
  const [errcode, errstr]: unknown[] = [Reflect.get(error, "errcode"), Reflect.get(error, "errstr")];
  return {
    name: error.name,
    ...(typeof errcode === "number" ? { errcode } : {}),
    ...(typeof errstr === "string" ? { errstr } : {}),
    stack: stack.join("\n"),
  };
}
