import type { Client } from "@latchkey/client";
import { phraseByPassphrase } from "@latchkey/client/passphrase";
import { t } from "../messages/words.ts";
import { RemoteError } from "../worker/protocol.ts";
import { withOpaque } from "./opaque-elsewhere.ts";

/** The 24 words of an account, or why the passphrase gave none, in words for the person. @throws RemoteError for anything else */
export async function phraseOf(
  client: Pick<Client, "findPassphraseAccount" | "tryRecoveryPassphrase" | "openRecoveryPassphrase">,
  params: { readonly username: string; readonly passphrase: string },
): Promise<{ readonly phrase: string } | { readonly trouble: string }> {
  if (params.passphrase.trim() === "") return { trouble: t("passphrase.need") };
  try {
    const phrase = await withOpaque((opaque) => phraseByPassphrase(client, opaque, params));
    return phrase === undefined ? { trouble: t("passphrase.wrong") } : { phrase };
  } catch (error) {
    if (error instanceof RemoteError && error.failure.code === "rate_limited") return { trouble: t("passphrase.tooOften") };
    throw error;
  }
}
