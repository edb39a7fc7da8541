import { CodecError, decode } from "@latchkey/codec";
import { CountsError } from "./errors.ts";
import { countLogCodec } from "./log.ts";
import type { ProvenValue } from "./log.ts";
import type { Period } from "./policy.ts";
import { countValueCodec } from "./values.ts";
import { verifyPeriod } from "./verify.ts";
import type { PeriodReport } from "./verify.ts";

/** What a server says of a half-year, with nothing of it proved: to be shown as that, until it was verified. @throws CountsError `malformed` */
export function claimedPeriod(params: {
  readonly host: string;
  readonly period: Period;
  readonly log: Uint8Array;
  readonly opening: Uint8Array | undefined;
  readonly nowMs: number;
}): PeriodReport {
  const { log, ...rest } = params;
  try {
    const { firstVersion, items } = decode(countLogCodec, log);
    const values = items.flatMap((item, at): ProvenValue[] =>
      item.kind === "shown" ? [{ version: firstVersion + at, timeMs: 0, value: decode(countValueCodec, item.value) }] : [],
    );
    return { ...verifyPeriod({ ...rest, values }), findings: [] };
  } catch (cause) {
    if (cause instanceof CodecError) throw new CountsError("malformed", "What the server says that it counted cannot be read.", { cause });
    throw cause;
  }
}
