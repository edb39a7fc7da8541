/** What a test wants of its order. */
export interface EpocParts {
  readonly legalType?: string;
  readonly flags?: readonly string[];
  readonly extra?: string;
  readonly task?: "LDTaskObject" | "LPTaskObject";
  readonly until?: string;
  readonly periods?: readonly [string, string];
  readonly approvalIsEmergency?: string;
  readonly dataType?: string;
}

const entry = (name: string, value: string): string =>
  `<auth:${name}><common:Owner>ETSI</common:Owner><common:Name>EPOC${name}</common:Name><common:Value>${value}</common:Value></auth:${name}>`;

/** A European order as a message of ETSI TS 103 120, by the shape that a public converter gives it. */
export function epocXml(parts: EpocParts = {}): string {
  const {
    legalType = "EPOC",
    flags = [],
    extra = "",
    task = "LDTaskObject",
    until,
    approvalIsEmergency,
    dataType = "SubscriberData",
  } = parts;
  const [first, second] = parts.periods ?? ["2026-09-01T00:00:00+02:00", "2026-09-01T00:00:00+02:00"];
  const flagged = flags.map((flag) => `<auth:AuthorisationFlag><common:Value>${flag}</common:Value></auth:AuthorisationFlag>`).join("");
  const emergency = approvalIsEmergency === undefined ? "" : `<auth:ApprovalIsEmergency>${approvalIsEmergency}</auth:ApprovalIsEmergency>`;
  const taskOf = (reference: string, kind: string, start: string, value: string, more: string): string => `
    <CREATE><ActionIdentifier>0</ActionIdentifier><HI1Object xsi:type="task:${task}">
      <task:Reference>${reference}</task:Reference>
      <task:DesiredStatus><common:Owner>ETSI</common:Owner><common:Name>s</common:Name><common:Value>AwaitingDisclosure</common:Value></task:DesiredStatus>
      <task:RequestDetails>
        <task:Type><common:Owner>ETSI</common:Owner><common:Name>t</common:Name><common:Value>${kind}</common:Value></task:Type>
        <task:StartTime>${start}</task:StartTime><task:EndTime>2026-10-01T12:00:00+02:00</task:EndTime>
        <task:RequestValues><task:RequestValue><common:FormatType><common:FormatOwner>ETSI</common:FormatOwner><common:FormatName>x</common:FormatName></common:FormatType><common:Value>${value}</common:Value></task:RequestValue></task:RequestValues>
        ${more}
      </task:RequestDetails>
      ${until === undefined ? "" : `<task:DesiredPreservationExpiration>${until}</task:DesiredPreservationExpiration>`}
      <task:DeliveryDetails><task:LDDeliveryDestination><task:DeliveryAddress>https://judex.example/inbox</task:DeliveryAddress></task:LDDeliveryDestination></task:DeliveryDetails>
    </HI1Object></CREATE>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<HI1Message xmlns="urn:c" xmlns:common="urn:c" xmlns:auth="urn:a" xmlns:task="urn:t" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <Header>
    <Sender><CountryCode>DE</CountryCode><UniqueIdentifier>sta-berlin</UniqueIdentifier></Sender>
    <Timestamp>2026-10-20T08:00:00Z</Timestamp>
  </Header>
  <Payload><RequestPayload><ActionRequests>
    <CREATE><ActionIdentifier>0</ActionIdentifier><HI1Object xsi:type="auth:AuthorisationObject">
      <auth:AuthorisationReference>241 Js 100/26</auth:AuthorisationReference>
      ${entry("AuthorisationLegalType", legalType)}
      ${entry("AuthorisationPriority", "Within10Days")}
      ${entry("AuthorisationDesiredStatus", "SubmittedToCSP")}
      <auth:AuthorisationCSPID>Example Chat e.V.</auth:AuthorisationCSPID>
      <auth:AuthorisationApprovalDetails>
        <auth:ApprovalType>IssuingAuthority</auth:ApprovalType><auth:ApprovalReference>A-1</auth:ApprovalReference>
        <auth:ApproverDetails><auth:Name>Staatsanwaltschaft Berlin</auth:Name><auth:Role>Authority</auth:Role>
          <auth:ContactDetails><auth:Name>Erika Muster</auth:Name><auth:Role>Staatsanwältin</auth:Role><auth:EmailAddress>muster@sta.example</auth:EmailAddress><auth:PhoneNumber>+49 30 9014 0</auth:PhoneNumber><auth:Address>Turmstr. 91</auth:Address></auth:ContactDetails>
        </auth:ApproverDetails>
        <auth:ApprovalTimestamp>2026-10-19T09:00:00Z</auth:ApprovalTimestamp>${emergency}
      </auth:AuthorisationApprovalDetails>
      <auth:AuthorisationApprovalDetails>
        <auth:ApprovalType>ValidatingAuthority</auth:ApprovalType>
        <auth:ApproverDetails><auth:Name>Amtsgericht Tiergarten</auth:Name></auth:ApproverDetails>
      </auth:AuthorisationApprovalDetails>
      <auth:AuthorisationFlags>${flagged}</auth:AuthorisationFlags>
      ${extra}
    </HI1Object></CREATE>
    ${taskOf("T1", dataType, first, "oscar@chat.example", "<task:Subtype>LastLogin</task:Subtype>")}
    ${taskOf("T2", "TrafficData", second, "+49 170 1234567", "")}
  </ActionRequests></RequestPayload></Payload>
</HI1Message>`;
}
