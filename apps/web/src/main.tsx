import { languageFor } from "./messages/languages.ts";
import type { Language } from "./messages/languages.ts";
import { fetchWords as fetchLateWords, speak } from "./messages/words.ts";
import { startApp } from "./start.tsx";
import { loadLanguage } from "./state/preferences.ts";
import { connectClient } from "./worker/connect.ts";

const firstPauseMs = 1000;
const longestPauseMs = 30_000;

/** What is said where no words come. */
const notFetched: Readonly<Record<Language, string>> = {
  en: "Latchkey could not be fetched from the server. Check your connection; it is tried again.",
  de: "Latchkey konnte nicht vom Server geholt werden. Prüf deine Verbindung; es wird wieder versucht.",
  es: "No se pudo obtener Latchkey del servidor. Comprueba tu conexión; se vuelve a intentar.",
  fr: "Latchkey n’a pas pu être obtenu du serveur. Vérifiez votre connexion ; on réessaie.",
  ar: "تعذّر جلب Latchkey من الخادم. تحقق من اتصالك؛ تُعاد المحاولة.",
  fa: "Latchkey را نشد از سرور گرفت. اتصالتان را بررسی کنید؛ دوباره تلاش می‌شود.",
};

/** Comes while the worker starts. */
const words = fetchWords();
const { pathname } = globalThis.location;
if (pathname === "/desk") void startAlone("desk", async () => (await import("./desk/start-desk.tsx")).startDesk);
else if (pathname === "/transparency") void startAlone("counts", async () => (await import("./counts/start-counts.tsx")).startCounts);
else {
  const client = connectClient();
  void words.then(() => startApp(client));
}

/** Until there are words the page's first frame stands; where they do not come, it says so and goes on asking. */
async function fetchWords(): Promise<void> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      await speak(languageFor(loadLanguage(), navigator.languages));
      return;
    } catch {
      sayNotLoaded();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

function sayNotLoaded(): void {
  const root = document.getElementById("root");
  if (root === null || root.querySelector("[role=alert]") !== null) return;
  const line = document.createElement("p");
  line.role = "alert";
  line.textContent = notFetched[languageFor(loadLanguage(), navigator.languages)];
  root.firstElementChild?.append(line);
}

/** A page that is no part of what others load, and has nothing to do with accounts in this browser: the operator's, and what is counted. */
async function startAlone(part: "desk" | "counts", load: () => Promise<(root: HTMLElement) => void>): Promise<void> {
  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no root");
  await words;
  try {
    const [start] = await Promise.all([load(), fetchLateWords(part)]);
    start(root);
  } catch {
    sayNotLoaded();
  }
}
