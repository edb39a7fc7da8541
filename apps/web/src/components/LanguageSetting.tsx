import { useState } from "react";
import type { ReactElement } from "react";
import { isLanguage, languageFor, languageNames } from "../messages/languages.ts";
import type { Language } from "../messages/languages.ts";
import { speak, t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { loadLanguage, saveLanguage } from "../state/preferences.ts";

const id = "language";
const known = Object.keys(languageNames).filter(isLanguage);

/** In which language the app speaks: at once, and on later visits. */
export function LanguageSetting(): ReactElement {
  const { notify } = useApp();
  const [chosen, setChosen] = useState(loadLanguage);
  const system = languageNames[languageFor(undefined, navigator.languages)];
  const choose = async (language: Language | undefined): Promise<void> => {
    // Kept first: the page is drawn anew in it, this setting too.
    saveLanguage(language);
    try {
      await speak(languageFor(language, navigator.languages));
    } catch {
      saveLanguage(chosen);
      notify(t("notLoaded"));
      return;
    }
    setChosen(language);
    // The page may have been drawn anew.
    document.getElementById(id)?.focus();
  };
  return (
    <select
      id={id}
      className="input"
      aria-label={t("settings.language")}
      value={chosen ?? ""}
      onChange={({ target: { value } }) => void choose(isLanguage(value) ? value : undefined)}
    >
      <option value="">{t("settings.languageSystem", { language: system })}</option>
      {known.map((language) => (
        <option key={language} value={language} lang={language}>
          {languageNames[language]}
        </option>
      ))}
    </select>
  );
}
