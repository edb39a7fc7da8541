/** What the protocols of two engines have in common: scripts in the page, and true presses of keys and buttons. */
export interface EnginePage extends AsyncDisposable {
  readonly engine: string;
  /** Loads an address. */
  open(url: string): Promise<void>;
  reload(): Promise<void>;
  back(): Promise<void>;
  /** Runs a function's source in the page with these arguments (JSON) and resolves to its result (JSON). */
  run(source: string, args: readonly unknown[]): Promise<unknown>;
  /** Presses at a point of the viewport, in CSS pixels. */
  press(at: { readonly x: number; readonly y: number }): Promise<void>;
  /** Types into what has the focus; "\uE007" is Enter. */
  type(text: string): Promise<void>;
}

type Role = "button" | "textbox" | "link" | "listitem" | "heading";

/** What is looked for: its role, and its name or what is in it. */
export interface Target {
  readonly role: Role;
  readonly name: RegExp;
}

export const enter = "\uE007";
const patienceMs = 60_000;
const lookAgainMs = 50;

// Runs in the page: the middle of the first such element that is shown and stays where it is, once it is in the viewport.
const find = `async (role, source, flags) => {
  const selectors = { button: "button", textbox: "input, textarea", link: "a[href]", listitem: "li", heading: "h1, h2" };
  const pattern = new RegExp(source, flags);
  const nameOf = (element) => {
    const label = element.getAttribute("aria-label");
    if (label !== null) return label;
    const by = element.getAttribute("aria-labelledby");
    if (by !== null) return by.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    if (element.labels?.length > 0) return element.labels[0].textContent;
    return element.textContent;
  };
  const middleOf = (element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x: Math.round(x + width / 2), y: Math.round(y + height / 2) };
  };
  for (const element of document.querySelectorAll(selectors[role])) {
    if (element.getClientRects().length === 0 || element.disabled || !pattern.test(nameOf(element).trim())) continue;
    element.scrollIntoView({ block: "nearest" });
    const before = middleOf(element);
    for (let frame = 0; frame < 3; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
    const after = middleOf(element);
    const isHit = element.contains(document.elementFromPoint(after.x, after.y));
    return isHit && before.x === after.x && before.y === after.y ? after : null;
  }
  return null;
}`;

/** Resolves to where something is, once it is shown. @throws Error after a minute, with the words that are on the page */
export async function waitFor(page: EnginePage, { role, name }: Target): Promise<{ readonly x: number; readonly y: number }> {
  const end = Date.now() + patienceMs;
  for (;;) {
    // A page that is just being left answers nothing: the next one is asked.
    const found = await page.run(find, [role, name.source, name.flags]).catch((error: unknown) => {
      if (!String(error).includes("unload")) throw error;
    });
    if (isPoint(found)) return found;
    if (Date.now() > end) throw new Error(`${page.engine}: no ${role} ${String(name)} on the page, which says: ${await textOf(page)}`);
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
}

export async function click(page: EnginePage, role: Role, name: RegExp): Promise<void> {
  await page.press(await waitFor(page, { role, name }));
}

/** Writes into a field in place of what is there. */
export async function fill(page: EnginePage, name: RegExp, text: string): Promise<void> {
  await click(page, "textbox", name);
  await page.run("() => document.activeElement?.select?.()", []);
  await page.type(text);
}

/** What a person can read on the page. */
export async function textOf(page: EnginePage): Promise<string> {
  const text = await page.run("() => document.body?.innerText ?? ''", []);
  return typeof text === "string" ? text : "";
}

function isPoint(value: unknown): value is { x: number; y: number } {
  return typeof value === "object" && value !== null && "x" in value && "y" in value;
}

/** The key presses that write a text, as both protocols have them. */
export function keyActions(text: string): readonly Record<string, unknown>[] {
  const actions = [...text].flatMap((value) => [
    { type: "keyDown", value },
    { type: "keyUp", value },
  ]);
  return [{ type: "key", id: "keys", actions }];
}

/** A press of the left button, as both protocols have it. */
export function pressActions({ x, y }: { readonly x: number; readonly y: number }): readonly Record<string, unknown>[] {
  const actions = [
    { type: "pointerMove", x, y, duration: 0 },
    { type: "pointerDown", button: 0 },
    { type: "pointerUp", button: 0 },
  ];
  return [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }];
}
