import { SaxesParser } from "saxes";

/** An element: its name without a prefix, its text without that of others in it. */
export interface XmlElement {
  readonly name: string;
  /** Attributes by their names without prefixes, but for what declares a namespace. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Why a document is not read, in English. */
export class XmlRefused extends Error {
  override readonly name: string = "XmlRefused";
}

/** Bounds of a document, whatever its size: what is beyond them is no request that anybody wrote. */
const [maxDepth, maxElements, maxAttributes, maxNameLength] = [64, 10_000, 64, 200];

interface Building {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Building[];
  text: string;
}

/**
 * Reads an XML document. There is no DOCTYPE, so that no entity is declared and nothing outside is asked for, and no processing instruction;
 * what is not well-formed is refused whole.
 *
 * @throws XmlRefused
 */
export function readXml(document: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  const open: Building[] = [];
  let root: Building | undefined;
  let elements = 0;
  const refuse = (why: string): never => {
    throw new XmlRefused(`line ${String(parser.line)}: ${why}`);
  };
  parser.on("error", () => refuse("not well-formed: a tag, an attribute, a reference or a sign that may not stand there"));
  parser.on("doctype", () => refuse("a DOCTYPE"));
  parser.on("processinginstruction", () => refuse("a processing instruction"));
  parser.on("opentag", ({ local, attributes }) => {
    elements += 1;
    if (elements > maxElements) refuse(`more than ${String(maxElements)} elements`);
    if (open.length >= maxDepth) refuse(`more than ${String(maxDepth)} elements within each other`);
    const found = Object.values(attributes).filter(({ prefix, name }) => prefix !== "xmlns" && name !== "xmlns");
    if (found.length > maxAttributes || local.length > maxNameLength) refuse("a name that is too long, or too many attributes");
    const element: Building = {
      name: local,
      attributes: new Map(found.map((attribute) => [attribute.local, attribute.value])),
      children: [],
      text: "",
    };
    if (element.attributes.size !== found.length) refuse("the same attribute by two prefixes");
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on("closetag", () => void open.pop());
  const add = (text: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  };
  parser.on("text", add);
  parser.on("cdata", add);
  parser.write(document).close();
  return root ?? refuse("no element");
}
