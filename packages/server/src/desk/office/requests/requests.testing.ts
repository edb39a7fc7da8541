import type { RequestIntake } from "@latchkey/protocol/desk";

/** A request as intake writes it down. */
export function intakeOf(parts: Partial<RequestIntake> = {}): RequestIntake {
  return {
    type: "eu-production-order",
    receivedAtMs: 20_000 * 86_400_000,
    channel: "portal",
    authority: { name: "Staatsanwaltschaft Berlin", country: "DE", reference: "241 Js 100/26" },
    officer: { name: "Erika Muster", role: "Staatsanwältin", email: "muster@sta.example", phone: "+49 30 9014 0" },
    addressee: "Example Chat e.V.",
    legalBasis: "Regulation (EU) 2023/1543, Art. 5",
    language: "de",
    isEmergency: false,
    identifiers: [{ kind: "username", value: "oscar" }],
    categories: ["subscriber"],
    secrecy: { kind: "until", untilDay: "2027-01-31", basis: "Art. 13" },
    deliverTo: "The decentralised IT system",
    ...parts,
  };
}
