import { expect, test } from "vitest";
import { createAccount, seeMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import { joinedConversation, registerPerson, sendAndWait } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";

test("a long name is cut off with a sign of it, and leaves room for what was found", async () => {
  using folder = createFolder();
  await using server = await startServerProcess({ data: folder.at("data") });
  await using ada = await openBrowser({ folder: folder.at("ada") });
  await using anneliese = await registerPerson({
    home: folder.at("anneliese"),
    server: server.url,
    username: "anneliese",
    displayName: "Dr. Anneliese Theresia von Hohenstein-Sigmaringen",
  });
  await using ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben" });
  const { page } = ada;
  await createAccount(page, { url: server.url, username: "ada" });
  await startConversation(page, { to: [anneliese.username, ben.username], groupName: "Assembly" });
  const { id } = await joinedConversation(anneliese.client, "Assembly");
  await sendAndWait(anneliese.client, id, "Die Donaudampfschifffahrtsgesellschaftskapitänswitwe lässt grüßen.");
  await seeMessage(page, "grüßen");

  await page.getByRole("button", { name: "Details" }).click();
  for (const size of Object.values(viewports)) {
    await page.setViewportSize(size);
    const name = page.getByRole("list", { name: "People" }).getByRole("button", { name: /^Dr\. Anneliese/u });
    // It ends where its row does, by its own ellipsis: nothing around it cuts it off.
    await expect
      .poll(() =>
        name.evaluate((button) => [
          button.scrollWidth > button.clientWidth && getComputedStyle(button).textOverflow === "ellipsis",
          button.getBoundingClientRect().right <= (button.parentElement?.getBoundingClientRect().right ?? 0),
        ]),
      )
      .toEqual([true, true]);
  }

  await page.setViewportSize(viewports.desktop);
  await page.keyboard.press("Control+k");
  await page.keyboard.insertText("grüßen");
  const mark = page.locator(".found mark");
  // In the lines that are shown, not in those below them.
  const below = await mark.evaluate(
    (element) => element.getBoundingClientRect().bottom - (element.closest(".found-text")?.getBoundingClientRect().bottom ?? 0),
  );
  expect(below).toBeLessThanOrEqual(1);
});
