import { expect, test } from "vitest";
import { emojiCalled } from "./emoji-names.ts";

const named = (emoji: string, label: string, tags: string[]) => ({ emoji, label, tags, category: 0, version: 1 });
const data = {
  emojis: [
    named("😄", "Grinning face with smiling eyes", ["happy"]),
    named("🙂", "Slightly smiling face", ["smile"]),
    named("😊", "Smiling face", ["blush"]),
    named("🪰", "fly", ["not smiling"]),
    named("🐎", "horse", []),
  ],
};

test("emoji are found by the words of their names, those first whose name begins so", () => {
  expect(emojiCalled(data, "Smil").map(({ emoji }) => emoji)).toEqual(["😊", "😄", "🙂", "🪰"]);
  expect(emojiCalled(data, "smiling_f").map(({ emoji }) => emoji)).toEqual(["😊", "🙂"]);
  expect(emojiCalled(data, "mil")).toEqual([]);
});
