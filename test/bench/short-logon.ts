/** A logon as a lean forwarder sends it: the shape of Winlogbeat with the log's own fields alone, 1.8 KB. */

/** The data of event 4624. */
export const DATA: readonly (readonly [string, string])[] = [
  ["SubjectUserSid", "S-1-5-18"],
  ["SubjectUserName", "HV11$"],
  ["SubjectDomainName", "CONTOSO"],
  ["SubjectLogonId", "0x3e7"],
  ["TargetUserSid", "S-1-5-21-1004336348-1177238915-682003330-1001"],
  ["TargetUserName", "alice"],
  ["TargetDomainName", "CONTOSO"],
  ["TargetLogonId", "0x1a2b3c"],
  ["LogonType", "3"],
  ["LogonProcessName", "Kerberos"],
  ["AuthenticationPackageName", "Kerberos"],
  ["WorkstationName", "-"],
  ["LogonGuid", "{00000000-0000-0000-0000-000000000000}"],
  ["IpAddress", "10.0.0.5"],
  ["IpPort", "50000"],
];

/** A text of the length that a cut message has. */
export const MESSAGE =
  "An account was successfully logged on.\n\nSubject:\n\tSecurity ID:\t\tS-1-5-18\n\tAccount Name:\t\tHV11$\n\tLogon ID:\t\t0x3E7\n\n".repeat(
    5,
  );

/** The record of this number. */
export function shortLogon(i: number, eventId = 4624): object {
  return {
    "@timestamp": "2024-03-01T10:00:00.123Z",
    event: {
      code: String(eventId),
      kind: "event",
      provider: "Microsoft-Windows-Security-Auditing",
      created: "2024-03-01T10:00:01.5Z",
    },
    log: { level: "information" },
    message: MESSAGE,
    host: { name: "dc1.contoso.com", ip: ["10.0.0.1"], os: { name: "Windows Server 2022" } },
    winlog: {
      api: "wineventlog",
      channel: "Security",
      computer_name: "dc1.contoso.com",
      event_id: String(eventId),
      provider_name: "Microsoft-Windows-Security-Auditing",
      record_id: 100_000 + i,
      keywords: ["Audit Success"],
      process: { pid: 700, thread: { id: 712 } },
      event_data: Object.fromEntries(DATA),
    },
    agent: { type: "winlogbeat", version: "8.19.0", id: "7d1d8a9c-8f3a-4a52-a6b8-6f0c0b7d0f01" },
  };
}
