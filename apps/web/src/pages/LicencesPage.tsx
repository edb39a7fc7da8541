import licences from "virtual:licences";
import "../styles/settings.css";
import type { ReactElement } from "react";
import { PageHeader } from "../components/PageHeader.tsx";
import { rowOf, t } from "../messages/words.ts";

/** Whose work this program is made of, and under which licences: as the build found them. */
export function LicencesPage(): ReactElement {
  return (
    <main className="page">
      <PageHeader heading={t("settings.licences")} takesFocus />
      <div className="page-body">
        <section className="section">
          <p>{t("settings.licence")}</p>
          <p className="section-hint">{t("licences.intro")}</p>
        </section>
        {/* A list without markers is no list to some screen readers unless told. */}
        {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
        <ul role="list" className="people licence-list" aria-label={t("settings.licences")}>
          {licences.map(({ packages, licence, text }) => (
            <li key={packages[0]}>
              <details>
                <summary>
                  <bdi>{rowOf(packages)}</bdi> <span className="person-address">{licence}</span>
                </summary>
                {/* What scrolls by itself is reachable by keyboard. */}
                {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
                <pre className="licence-text" tabIndex={0} dir="ltr" lang="en">
                  {text}
                </pre>
              </details>
            </li>
          ))}
        </ul>
      </div>
    </main>
  );
}
