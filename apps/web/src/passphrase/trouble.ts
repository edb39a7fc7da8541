import { failureWords, t } from "../messages/words.ts";
import { failureOf } from "../worker/protocol.ts";
import { CannotComputeHere } from "./opaque-elsewhere.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** What to say of something thrown while a passphrase was set or tried. */
export function troubleOf(error: unknown): string {
  if (error instanceof CannotComputeHere) return t("passphrase.cannotCompute");
  const failure = failureOf(error);
  const { code, retryAfterMs = 0 } = failure;
  if (code === "rate_limited")
    return retryAfterMs > hourMs ? t("passphrase.tooOften") : t("passphrase.wait", { n: Math.max(1, Math.ceil(retryAfterMs / minuteMs)) });
  const { title, advice } = failureWords(failure);
  return `${title}. ${advice}`;
}
