/** Which bytes of a file are asked for: from the first up to, not including, the second. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The range that a header asks for (RFC 9110 §14.2); `undefined` where the whole file is asked for, also by what is not understood; "unsatisfiable"
 * for one that begins behind the end. Of several the whole file is given, as it may be.
 */
export function parseRange(header: string | null, sizeBytes: number): ByteRange | "unsatisfiable" | undefined {
  const [whole, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (whole === undefined || (first === "" && last === "")) return undefined;
  if (first === "")
    return Number(last) === 0 || sizeBytes === 0 ? "unsatisfiable" : { from: Math.max(0, sizeBytes - Number(last)), to: sizeBytes };
  const from = Number(first);
  const to = last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (last !== "" && Number(last) < from) return undefined;
  return from >= sizeBytes ? "unsatisfiable" : { from, to };
}
