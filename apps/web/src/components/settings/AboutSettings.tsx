import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { useSelector } from "../../state/context.ts";
import { Mark } from "../Icon.tsx";
import { PublicRecord } from "../PublicRecord.tsx";
import { InstallApp } from "./InstallApp.tsx";
import { RowLink } from "./RowLink.tsx";
import { Section } from "./Section.tsx";

declare const __LATCHKEY_VERSION__: string;

/** Which program this is, of which build, under which licences, and what is known of its server's public record. */
export function AboutSettings(): ReactElement {
  const server = useSelector((state) => state.server);
  const build = buildOf(document);
  return (
    <>
      <section className="section">
        <p className="about-name">
          <Mark size={24} />
          <strong>{t("appName")}</strong>
        </p>
        <p className="section-hint">{t("settings.version", { version: __LATCHKEY_VERSION__ })}</p>
        {build !== undefined && <p className="section-hint">{t("settings.build", { build })}</p>}
        {server?.version !== undefined && <p className="section-hint">{t("settings.serverVersion", { version: server.version })}</p>}
        <p className="section-hint">{t("settings.licence")}</p>
        <RowLink route={{ kind: "licences" }} label={t("settings.licences")} />
        <button type="button" className="row-button" onClick={() => document.dispatchEvent(new Event("latchkey:help"))}>
          <span>{t("settings.keyboard")}</span>
          <kbd>?</kbd>
        </button>
      </section>
      <InstallApp />
      <Section heading={t("settings.record")}>
        <PublicRecord />
      </Section>
    </>
  );
}

/** What tells one build from another: the hash in the name of the script that the page begins with. */
function buildOf({ scripts }: Document): string | undefined {
  for (const { src } of scripts) {
    const [, hash] = /\/index-([\w-]+)\.js$/u.exec(src) ?? [];
    if (hash !== undefined) return hash;
  }
  return undefined;
}
