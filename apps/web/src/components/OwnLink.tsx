import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useSelector } from "../state/context.ts";
import { ownLink } from "../state/invitation-link.ts";
import { CopyLink } from "./CopyLink.tsx";
import { LinkWays } from "./LinkWays.tsx";

/** The person's own link: to copy, to hand to another app, and as a code for somebody's camera, shown at once or when asked for. */
export function OwnLink({ showsCode }: { readonly showsCode: boolean }): ReactElement | undefined {
  const account = useSelector((state) => state.account);
  if (account === undefined) return undefined;
  const link = ownLink(globalThis.location.origin, account.username);
  return (
    <div className="own-link">
      <CopyLink />
      <LinkWays link={link} title={t("ownLink.title", { who: account.displayName })} codeLabel={t("ownLink.code")} showsCode={showsCode} />
    </div>
  );
}
