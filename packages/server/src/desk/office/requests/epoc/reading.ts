import type { ImportRemark } from "@latchkey/protocol/desk";
import type { XmlElement } from "./read-xml.ts";

const longestPath = 300;
const longestValue = 500;

/** A document while somebody takes out of it what they understand: the rest is what nobody asked for. */
export class Reading {
  readonly #root: XmlElement;
  readonly #understood = new Set<XmlElement>();

  constructor(root: XmlElement) {
    this.#root = root;
  }

  /** Objects of this kind, by their `xsi:type` or name, wherever they stand. */
  objects(kind: string): readonly XmlElement[] {
    const found: XmlElement[] = [];
    const look = (element: XmlElement): void => {
      const type = element.attributes.get("type")?.split(":").at(-1);
      if (type === kind || element.name === kind) found.push(element);
      for (const child of element.children) look(child);
    };
    look(this.#root);
    return found;
  }

  /** All children of this name. */
  all(of: XmlElement, name: string): readonly XmlElement[] {
    return of.children.filter((child) => child.name === name);
  }

  /**
   * Texts of what lies at a path below an element, which are understood by that. Of an entry of a dictionary, and of a value with its format,
   * its value: owner, name and format of it are part of it.
   */
  values(of: XmlElement, ...path: readonly string[]): readonly string[] {
    const [name, ...rest] = path;
    const found = name === undefined ? [] : this.all(of, name);
    if (rest.length > 0) return found.flatMap((child) => this.values(child, ...rest));
    return found.flatMap((child) => this.#valuesIn(child)).filter((text) => text !== "");
  }

  /** The first of them, which alone is understood by that: what else stands there is shown. */
  value(of: XmlElement, ...path: readonly string[]): string | undefined {
    const [name, ...rest] = path;
    for (const child of name === undefined ? [] : this.all(of, name)) {
      const found = rest.length > 0 ? this.value(child, ...rest) : this.#valuesIn(child).find((text) => text !== "");
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Everything that nobody asked for: each element that says something, and attributes that are more than a type. */
  rest(): readonly ImportRemark[] {
    const remarks: ImportRemark[] = [];
    const look = (element: XmlElement, path: string): void => {
      const here = ending(`${path}/${element.name}`);
      const text = element.text.trim();
      const isLeaf = element.children.length === 0;
      if (!this.#understood.has(element) && (text !== "" || isLeaf)) remarks.push(remark(here, text));
      for (const [name, value] of element.attributes) {
        // What type an element has, says which element it is; where a schema lies, nothing.
        if (name !== "type" && name !== "schemaLocation") remarks.push(remark(`${here}/@${name}`, value));
      }
      for (const child of element.children) look(child, here);
    };
    look(this.#root, "");
    return remarks;
  }

  #valuesIn(element: XmlElement): readonly string[] {
    const value = this.all(element, "Value");
    if (element.children.length === 0) {
      this.#understood.add(element);
      return [element.text.trim()];
    }
    if (value.length === 0) return element.children.flatMap((child) => this.#valuesIn(child));
    for (const name of ["Owner", "Name"]) for (const child of this.all(element, name)) this.#understand(child);
    for (const format of this.all(element, "FormatType")) this.#understand(format);
    return value.flatMap((child) => this.#valuesIn(child));
  }

  #understand(element: XmlElement): void {
    this.#understood.add(element);
    for (const child of element.children) this.#understand(child);
  }
}

function remark(path: string, value: string): ImportRemark {
  return {
    path: ending(path),
    value: value.length > longestValue ? `${value.slice(0, longestValue)}…` : value,
  };
}

/** A path's end, where all of it would be too long. */
function ending(path: string): string {
  return path.length > longestPath ? `…${path.slice(1 - longestPath)}` : path;
}
