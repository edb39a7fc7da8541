import { t } from "../../messages/words.ts";
import type { PasskeyRefusal } from "../office/passkey.ts";
import type { NotRead } from "./package-reader.ts";

/** Why a package is not shown: nothing is said of what did not come. @param why the reason in other words than those of the desk */
export function notReadText(code: NotRead, why?: string): string {
  return code === "no_package" ? t("legal.noPackage") : `${t("legal.lookFailed")} ${why ?? t(`office.refused.${code}`)}`;
}

/** Why something is not done for somebody outside, whose link counts three days, once, and opens for an hour what they look at. */
export function outsideText(code: PasskeyRefusal, isOpened: boolean): string {
  switch (code) {
    case "code_refused":
      return isOpened ? t("legal.outside.refused.over") : t("legal.outside.refused.link");
    case "changed":
      return t("legal.outside.refused.changed");
    case "other_person":
      return t("legal.outside.refused.otherPerson");
    case "passkey_refused":
      return t("legal.outside.refused.passkey");
    default:
      return t(`office.refused.${code}`);
  }
}
