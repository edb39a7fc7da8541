import { enAccount } from "./en-account.ts";
import type { AccountCatalogue } from "./en-account.ts";

/** The words of the screens about account, devices and verification, in the person's language (English is the only one so far). */
export const accountWords: AccountCatalogue = enAccount;
