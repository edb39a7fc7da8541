// Runs before the first paint, so that neither a chosen appearance nor a language ever flashes as the other one.
{
  const root = document.documentElement;
  let chosen;
  try {
    const theme = localStorage.getItem("latchkey.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    const size = Number(localStorage.getItem("latchkey.text-size"));
    if (size > 100 && size <= 200) root.style.setProperty("--text-scale", String(size / 100));
    chosen = localStorage.getItem("latchkey.language");
  } catch {
    // Storage is blocked: the system's appearance and language are used.
  }
  // As in src/messages/languages.ts.
  const spoken = ["en", "de", "es", "fr", "ar", "fa"];
  const wanted = [chosen, ...navigator.languages.map((language) => language.split("-")[0].toLowerCase())];
  const language = wanted.find((one) => spoken.includes(one)) ?? "en";
  root.lang = language;
  root.dir = language === "ar" || language === "fa" ? "rtl" : "ltr";
  // What the app says in it, fetched beside the scripts instead of after them. The build writes where it is.
  const file = JSON.parse(document.currentScript.dataset.words ?? "{}")[language];
  if (file !== undefined) {
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.href = file;
    document.head.append(link);
  }
}
