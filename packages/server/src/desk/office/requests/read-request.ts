import type { RequestAt } from "@latchkey/protocol/desk";
import type { Input } from "../input.ts";

const most = Number.MAX_SAFE_INTEGER;

/** The number of a request. @throws DeskError `malformed` */
export function readNumber(input: Input, name: string = "number"): number {
  return input.whole(name, { least: 1, most });
}

/** A request as somebody read it. @throws DeskError `malformed` */
export function readRequestAt(input: Input): RequestAt {
  return { number: readNumber(input), revision: input.whole("revision", { least: 1, most }) };
}
