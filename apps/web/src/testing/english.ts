import { speak } from "../messages/words.ts";

// Imported by tests that read what the app says.
await speak("en");
