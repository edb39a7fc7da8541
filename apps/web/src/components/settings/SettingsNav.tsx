import "../../styles/settings.css";
import { useEffect, useRef, useState } from "react";
import type { MouseEvent, ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { useApp, useRoute, useSelector } from "../../state/context.ts";
import { staysHere } from "../../state/link-press.ts";
import { formatRoute, isSettingsPart, parentRoute } from "../../state/router.ts";
import type { Route } from "../../state/router.ts";
import { Avatar } from "../Avatar.tsx";
import { Icon } from "../Icon.tsx";
import type { IconName } from "../Icon.tsx";

interface Place {
  readonly route: Route;
  readonly icon: IconName;
  readonly label: () => string;
}

const places: readonly Place[] = [
  { route: { kind: "devices" }, icon: "laptop", label: () => t("settings.devices") },
  { route: { kind: "settings", section: "notifications" }, icon: "bell", label: () => t("settings.notifications") },
  { route: { kind: "settings", section: "lock" }, icon: "lock", label: () => t("settings.lock") },
  { route: { kind: "settings", section: "privacy" }, icon: "eye", label: () => t("settings.privacy") },
  { route: { kind: "settings", section: "appearance" }, icon: "contrast", label: () => t("settings.appearance") },
  { route: { kind: "settings", section: "storage" }, icon: "archive", label: () => t("settings.storage") },
  { route: { kind: "settings", section: "data" }, icon: "download", label: () => t("settings.data") },
  { route: { kind: "holdings" }, icon: "shield", label: () => t("settings.holdings") },
  { route: { kind: "settings", section: "reports" }, icon: "alert", label: () => t("settings.reports") },
  { route: { kind: "settings", section: "account" }, icon: "people", label: () => t("settings.account") },
  { route: { kind: "settings", section: "about" }, icon: "info", label: () => t("settings.about") },
];

/** The parts of the settings, one's own profile first; `isBeside`: they stand in place of the list, beside the part that is open. */
export function SettingsNav({ isBeside }: { readonly isBeside: boolean }): ReactElement {
  const { router } = useApp();
  const route = useRoute();
  const account = useSelector((state) => state.account);
  const [from] = useState(() => router.before());
  const headingRef = useRef<HTMLHeadingElement>(null);
  const takesFocus = route.kind === "settings" && route.section === undefined;
  useEffect(() => {
    if (takesFocus) headingRef.current?.focus({ preventScroll: true });
  }, [takesFocus]);
  const Heading = isBeside ? "h2" : "h1";
  const leave = (): void => {
    // One part takes another's place, so that one step leads out; from a page behind a part there are more.
    if (!isBeside || (isSettingsPart(route) && from !== undefined)) router.back();
    else router.go(from ?? { kind: "home" }, { replace: from === undefined });
  };
  const link = (to: Route) => ({
    href: formatRoute(to),
    "aria-current": isBeside && isAt(route, to) ? ("page" as const) : undefined,
    onClick: (event: MouseEvent): void => {
      if (!staysHere(event)) return;
      router.go(to, { replace: isBeside });
    },
  });
  return (
    <>
      <div className="page-header">
        <button type="button" className="icon-button" aria-label={t("common.back")} onClick={leave}>
          <Icon name="back" />
        </button>
        <Heading ref={headingRef} tabIndex={-1}>
          {t("settings.heading")}
        </Heading>
      </div>
      <nav className="settings-nav" aria-label={t("settings.heading")}>
        {account !== undefined && (
          <a className="settings-link settings-self" {...link({ kind: "settings", section: "profile" })}>
            <Avatar id={account.accountId} name={account.displayName} />
            <span className="person-text">
              <bdi className="person-name">{account.displayName}</bdi>
              <bdi className="person-address">
                {account.username}@{account.host}
              </bdi>
            </span>
          </a>
        )}
        {/* A list without markers is no list to some screen readers unless told. */}
        {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
        <ul role="list" className="settings-links">
          {places.map(({ route: to, icon, label }) => (
            <li key={formatRoute(to)}>
              <a className="settings-link" {...link(to)}>
                <Icon name={icon} />
                <span>{label()}</span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
    </>
  );
}

/** Whether a page is that part, or behind it. */
function isAt(route: Route, part: Route): boolean {
  const above = parentRoute(route);
  // Beside their list, the settings begin with the profile.
  const isProfile = route.kind === "settings" && route.section === undefined && part.kind === "settings" && part.section === "profile";
  return isProfile || [formatRoute(route), formatRoute(above)].includes(formatRoute(part));
}
