import type { Client } from "@latchkey/client";
import { phraseByPassphrase } from "@latchkey/client/passphrase";
import { t } from "../messages/words.ts";
import { withOpaque } from "./opaque-elsewhere.ts";
import { troubleOf } from "./trouble.ts";

/** The 24 words of an account, or why the passphrase gave none, in words for the person. */
export async function phraseOf(
  client: Pick<Client, "findPassphraseAccount" | "tryRecoveryPassphrase" | "openRecoveryPassphrase">,
  params: { readonly username: string; readonly passphrase: string },
): Promise<{ readonly phrase: string } | { readonly trouble: string }> {
  if (params.passphrase.trim() === "") return { trouble: t("passphrase.need") };
  try {
    const phrase = await withOpaque((opaque) => phraseByPassphrase(client, opaque, params));
    return phrase === undefined ? { trouble: t("passphrase.wrong") } : { phrase };
  } catch (error) {
    return { trouble: troubleOf(error) };
  }
}
