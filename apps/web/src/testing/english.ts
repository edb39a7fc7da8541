import { fetchWords, speak } from "../messages/words.ts";

// Imported by tests that read what the app says.
await speak("en");
await Promise.all([
  fetchWords("attach"),
  fetchWords("cases"),
  fetchWords("desk"),
  fetchWords("files"),
  fetchWords("legal"),
  fetchWords("office"),
  fetchWords("report"),
  fetchWords("settings"),
]);
