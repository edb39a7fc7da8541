import { useId, useState } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { loadTextSize, loadTheme, saveTextSize, saveTheme, textSizes } from "../../state/preferences.ts";
import type { TextSize, Theme } from "../../state/preferences.ts";
import { formatPercent } from "../../state/format.ts";
import { LanguageSetting } from "../LanguageSetting.tsx";
import { Section } from "./Section.tsx";
import { WritingSettings } from "./WritingSettings.tsx";

const themes: readonly Theme[] = ["system", "light", "dark"];

/** Light or dark, language, how messages are written, and how large the text is, on this device. */
export function AppearanceSettings(): ReactElement {
  const [theme, setTheme] = useState(loadTheme);
  const [size, setSize] = useState(loadTextSize);
  const hintId = useId();
  const chooseTheme = (next: Theme): void => {
    saveTheme(next);
    setTheme(next);
  };
  const chooseSize = (next: TextSize): void => {
    saveTextSize(next);
    setSize(next);
  };
  return (
    <>
      <Section heading={t("settings.themeHeading")}>
        <div className="segments" role="radiogroup" aria-label={t("settings.themeHeading")}>
          {themes.map((option) => (
            <label key={option} className="segment">
              <input type="radio" name="theme" value={option} checked={theme === option} onChange={() => chooseTheme(option)} />
              <span>{t(`settings.theme.${option}`)}</span>
            </label>
          ))}
        </div>
      </Section>
      <Section heading={t("settings.language")}>
        <LanguageSetting />
      </Section>
      <Section heading={t("settings.writing")}>
        <WritingSettings />
      </Section>
      <Section heading={t("settings.textSize")}>
        <div className="segments" role="radiogroup" aria-label={t("settings.textSize")} aria-describedby={hintId}>
          {textSizes.map((option) => (
            <label key={option} className="segment">
              <input type="radio" name="text-size" value={option} checked={size === option} onChange={() => chooseSize(option)} />
              <span>{formatPercent(option)}</span>
            </label>
          ))}
        </div>
        <p id={hintId} className="section-hint">
          {t("settings.textSizeHint")}
        </p>
      </Section>
    </>
  );
}
