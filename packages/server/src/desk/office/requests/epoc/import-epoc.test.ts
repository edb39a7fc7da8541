import { describe, expect, test } from "vitest";
import { importEpoc } from "./import-epoc.ts";
import { epocXml } from "./epoc.testing.ts";

const zone = "Europe/Berlin";

describe("an order as ETSI TS 103 120 carries it", () => {
  test("[F-15] is a draft of an intake, and everything that is in no field of it is shown", async () => {
    const draft = await importEpoc(epocXml({ extra: "<auth:Surprise a='1'>of <b>whom</b></auth:Surprise>" }), zone);
    expect(draft.refused).toBeUndefined();
    expect(draft.type).toBe("eu-production-order");
    expect(draft.intake).toEqual({
      channel: "portal",
      legalBasis: "Regulation (EU) 2023/1543",
      isEmergency: false,
      authority: { name: "Staatsanwaltschaft Berlin", country: "DE", reference: "241 Js 100/26", address: "Turmstr. 91" },
      officer: { name: "Erika Muster", role: "Staatsanwältin", email: "muster@sta.example", phone: "+49 30 9014 0" },
      addressee: "Example Chat e.V.",
      identifiers: [
        { kind: "username", value: "oscar@chat.example" },
        { kind: "other", value: "+49 170 1234567" },
      ],
      categories: ["subscriber", "traffic"],
      period: { fromDay: "2026-09-01", toDay: "2026-10-01" },
      deliverTo: "https://judex.example/inbox",
      remark:
        "IssuingAuthority, Staatsanwaltschaft Berlin, A-1, 2026-10-19T09:00:00Z\nValidatingAuthority, Amtsgericht Tiergarten\nTask T1\nTask T2",
    });
    const shown = Object.fromEntries(draft.notUnderstood.map(({ path, value }) => [path.split("/").slice(-2).join("/"), value]));
    expect(shown).toEqual({
      "Sender/UniqueIdentifier": "sta-berlin",
      "Header/Timestamp": "2026-10-20T08:00:00Z",
      "CREATE/ActionIdentifier": "0",
      "HI1Object/Surprise": "of",
      "Surprise/@a": "1",
      "Surprise/b": "whom",
      "ApproverDetails/Role": "Authority",
      "RequestDetails/Subtype": "LastLogin",
    });
  });

  test("[F-15] decides no deadline: what the document says of time is said to a person, and is in no field", async () => {
    const draft = await importEpoc(epocXml({ flags: ["IsEmergency", "DelayInformingUser", "EnforcingAuthorityNotified", "Odd"] }), zone);
    expect(draft.intake.isEmergency).toBe(true);
    expect(Object.keys(draft.intake)).not.toContain("deadlineAsked");
    expect(Object.keys(draft.intake)).not.toContain("receivedAtMs");
    expect(draft.intake.notified).toBeUndefined();
    expect(draft.intake.secrecy).toBeUndefined();
    const text = draft.warnings.join("\n");
    for (const word of ["Section C says Within10Days", "Section H", "Section K", "not known: Odd"]) expect(text).toContain(word);
  });

  test("[F-15] of two values where one is read the second is shown, and what is too long for its field is said", async () => {
    const twice = (xml: string, name: string): string =>
      xml.replace(
        new RegExp(`(<[a-z0-9]*:?${name}[ >].*?</[a-z0-9]*:?${name}>)`, "s"),
        (one) => one + one.replaceAll("241 Js 100/26", "999 Js 1/26"),
      );
    const draft = await importEpoc(twice(epocXml({}), "AuthorisationReference"), zone);
    expect(draft.intake.authority?.reference).toBe("241 Js 100/26");
    expect(draft.notUnderstood.map(({ value }) => value)).toContain("999 Js 1/26");
    const long = await importEpoc(epocXml({}).replace("oscar@chat.example", `o${"x".repeat(600)}`), zone);
    expect(long.warnings.join("\n")).toContain("longer than its field");
  });

  test("[F-15] a time without a zone is the day that it says, wherever the server is", async () => {
    const xml = epocXml({}).replace(/<task:StartTime>[^<]*/gu, "<task:StartTime>2026-09-01T00:30:00");
    for (const where of ["Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"]) {
      expect((await importEpoc(xml, where)).intake.period?.fromDay).toBe("2026-09-01");
    }
    const odd = await importEpoc(epocXml({}).replace(/<task:StartTime>[^<]*/gu, "<task:StartTime>2026-09-01T99 or so"), zone);
    expect(odd.warnings.join("\n")).toContain("cannot be read");
  });

  test("[F-15] a preservation order is one, and until when is the table's", async () => {
    const draft = await importEpoc(epocXml({ legalType: "EPOCPR", task: "LPTaskObject", until: "2027-05-01T00:00:00Z" }), zone);
    expect(draft.type).toBe("eu-preservation-order");
    expect(draft.warnings.join("\n")).toContain("2027-05-01");
  });

  test("[F-15] what contradicts itself, or is something else, is said", async () => {
    const other = await importEpoc("<a><b>hello</b></a>", zone);
    expect(other).toMatchObject({ intake: { identifiers: [] }, notUnderstood: [{ path: "/a/b", value: "hello" }] });
    expect(other.type).toBeUndefined();
    expect(other.warnings.length).toBe(2);
    const twice = await importEpoc(epocXml({ periods: ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"] }), zone);
    expect(twice.intake.period).toBeUndefined();
    expect(twice.warnings.join()).toContain("different times");
    const unreadable = await importEpoc(epocXml({ periods: ["yesterday", "yesterday"] }), zone);
    expect(unreadable.warnings.join()).toContain("cannot be read: yesterday");
    const unlike = await importEpoc(epocXml({ approvalIsEmergency: "true" }), zone);
    expect(unlike.warnings.join()).toContain("say differently");
  });
});

describe("bad documents", () => {
  const nested = (depth: number): string => "<a>".repeat(depth) + "</a>".repeat(depth);
  const bad: readonly (readonly [string, string, string])[] = [
    ["a DOCTYPE", "<!DOCTYPE a><a/>", "DOCTYPE"],
    ["entities", '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z SYSTEM "file:///etc/passwd">]><a>&x;&z;</a>', "DOCTYPE"],
    ["an entity that nobody declared", "<a>&x;</a>", "well-formed"],
    ["a processing instruction", "<a><?php evil ?></a>", "processing instruction"],
    ["a style sheet", '<?xml-stylesheet href="x"?><a/>', "processing instruction"],
    ["the same attribute twice", '<a b="1" b="2"/>', "well-formed"],
    ["the same attribute by two prefixes", '<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="1" q:b="2"/>', "well-formed"],
    ["the same name of two namespaces", '<a xmlns:p="urn:x" xmlns:q="urn:y" p:b="1" q:b="2"/>', "two prefixes"],
    ["mismatched tags", "<a><b></a></b>", "well-formed"],
    ["a tag that does not end", "<a><b>", "well-formed"],
    ["two roots", "<a/><b/>", "well-formed"],
    ["NUL as a reference", "<a>&#0;</a>", "well-formed"],
    ["NUL as it is", "<a>\u0000</a>", "well-formed"],
    ["a prefix that nobody declared", "<p:a/>", "well-formed"],
    ["depth", nested(65), "within each other"],
    ["great depth", nested(20_000), "within each other"],
    ["many elements", `<a>${"<b/>".repeat(10_000)}</a>`, "10000 elements"],
    ["a long name", `<${"a".repeat(201)}/>`, "too long"],
    ["nothing", "", "well-formed"],
    ["no XML", "%PDF-1.7", "well-formed"],
  ];
  test.each(bad)("[F-15] [E-212] %s is refused, with a reason and a line", async (_, text, why) => {
    const draft = await importEpoc(text, zone);
    expect(draft).toMatchObject({ intake: {}, notUnderstood: [], warnings: [] });
    expect(draft.refused).toContain(why);
    expect(draft.refused).toMatch(/^line \d+: /);
  });

  test("[F-15] names that objects have by nature are names like others", async () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const draft = await importEpoc(`<a __proto__="x">${names.map((name) => `<${name}>1</${name}>`).join("")}</a>`, zone);
    expect(draft.notUnderstood.map(({ path }) => path)).toEqual(["/a/@__proto__", ...names.map((name) => `/a/${name}`)]);
    const typed = await importEpoc(epocXml({ dataType: "__proto__" }), zone);
    expect(typed.warnings.join()).toContain("not known: __proto__");
    expect(typed.intake.categories).toEqual(["traffic"]);
  });

  test("[F-15] the largest document that may be is read in bounded time and answered in bounded size", async () => {
    const chain = Array.from({ length: 62 }, (_, at) => `n${String(at)}${"x".repeat(190)}`);
    const text = `${chain.map((name) => `<${name}>`).join("")}${"<l>v</l>".repeat(9_900)}${chain
      .toReversed()
      .map((name) => `</${name}>`)
      .join("")}`;
    const draft = await importEpoc(text, zone);
    expect(draft.refused).toBeUndefined();
    expect(draft.notUnderstood.length).toBe(9_900);
    expect(JSON.stringify(draft).length).toBeLessThan(4_000_000);
  });
});
