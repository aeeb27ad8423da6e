/**
 * Where a rule's events come from: product, category and service of the log source to channels and event ids.
 *
 * Source: Sigma taxonomy appendix 2.1.0, "Windows Folder"; channel names as Windows writes them where it errs
 * (`Microsoft-Windows-DNS-Client/Operational`), older service names of public rules.
 */
import { ALWAYS, allOf, type Query, testOf } from "./expression.ts";
import { foldCase } from "./fold.ts";

export interface LogSource {
  readonly category?: string;
  readonly product?: string;
  readonly service?: string;
}

const SYSMON = "Microsoft-Windows-Sysmon/Operational";
const POWERSHELL = ["Microsoft-Windows-PowerShell/Operational", "PowerShellCore/Operational"];

/** Service to channels. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  application: ["Application"],
  "application-experience": [
    "Microsoft-Windows-Application-Experience/Program-Telemetry",
    "Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant",
  ],
  applocker: [
    "Microsoft-Windows-AppLocker/MSI and Script",
    "Microsoft-Windows-AppLocker/EXE and DLL",
    "Microsoft-Windows-AppLocker/Packaged app-Deployment",
    "Microsoft-Windows-AppLocker/Packaged app-Execution",
  ],
  "appmodel-runtime": ["Microsoft-Windows-AppModel-Runtime/Admin"],
  "appxdeployment-server": ["Microsoft-Windows-AppXDeploymentServer/Operational"],
  "appxpackaging-om": ["Microsoft-Windows-AppxPackaging/Operational"],
  bitlocker: ["Microsoft-Windows-BitLocker/BitLocker Management"],
  "bits-client": ["Microsoft-Windows-Bits-Client/Operational"],
  capi2: ["Microsoft-Windows-CAPI2/Operational"],
  "certificateservicesclient-lifecycle-system": [
    "Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational",
  ],
  "codeintegrity-operational": ["Microsoft-Windows-CodeIntegrity/Operational"],
  dhcp: ["Microsoft-Windows-DHCP-Server/Operational"],
  "diagnosis-scripted": ["Microsoft-Windows-Diagnosis-Scripted/Operational"],
  "dns-client": ["Microsoft-Windows-DNS Client Events/Operational", "Microsoft-Windows-DNS-Client/Operational"],
  "dns-server": ["DNS Server"],
  "dns-server-analytic": ["Microsoft-Windows-DNS-Server/Analytical"],
  "dns-server-audit": ["Microsoft-Windows-DNS-Server/Audit", "Microsoft-Windows-DNSServer/Audit"],
  "driver-framework": ["Microsoft-Windows-DriverFrameworks-UserMode/Operational"],
  "firewall-as": ["Microsoft-Windows-Windows Firewall With Advanced Security/Firewall"],
  "hyper-v-worker": [
    "Microsoft-Windows-Hyper-V-Worker",
    "Microsoft-Windows-Hyper-V-Worker-Admin",
    "Microsoft-Windows-Hyper-V-Worker/Admin",
    "Microsoft-Windows-Hyper-V-Worker-Operational",
  ],
  "iis-configuration": ["Microsoft-IIS-Configuration/Operational"],
  "kernel-event-tracing": ["Microsoft-Windows-Kernel-EventTracing", "Microsoft-Windows-Kernel-EventTracing/Admin"],
  "kernel-shimengine": [
    "Microsoft-Windows-Kernel-ShimEngine/Operational",
    "Microsoft-Windows-Kernel-ShimEngine/Diagnostic",
  ],
  ldap: ["Microsoft-Windows-LDAP-Client/Debug"],
  ldap_debug: ["Microsoft-Windows-LDAP-Client/Debug"],
  "lsa-server": ["Microsoft-Windows-LSA/Operational"],
  "microsoft-servicebus-client": [
    "Microsoft-ServiceBus-Client",
    "Microsoft-ServiceBus-Client/Operational",
    "Microsoft-ServiceBus-Client/Admin",
  ],
  "msexchange-management": ["MSExchange Management"],
  ntfs: ["Microsoft-Windows-Ntfs/Operational"],
  ntlm: ["Microsoft-Windows-NTLM/Operational"],
  openssh: ["OpenSSH/Operational"],
  powershell: POWERSHELL,
  "powershell-classic": ["Windows PowerShell"],
  "printservice-admin": ["Microsoft-Windows-PrintService/Admin"],
  "printservice-operational": ["Microsoft-Windows-PrintService/Operational"],
  security: ["Security"],
  "security-mitigations": [
    "Microsoft-Windows-Security-Mitigations/KernelMode",
    "Microsoft-Windows-Security-Mitigations/UserMode",
    "Microsoft-Windows-Security-Mitigations/Kernel Mode",
    "Microsoft-Windows-Security-Mitigations/User Mode",
  ],
  sense: ["Microsoft-Windows-SENSE/Operational"],
  "servicebus-client": ["Microsoft-ServiceBus-Client/Operational", "Microsoft-ServiceBus-Client/Admin"],
  "shell-core": ["Microsoft-Windows-Shell-Core/Operational"],
  "smbclient-connectivity": ["Microsoft-Windows-SmbClient/Connectivity"],
  "smbclient-security": ["Microsoft-Windows-SmbClient/Security"],
  "smbserver-connectivity": ["Microsoft-Windows-SMBServer/Connectivity"],
  sysmon: [SYSMON],
  system: ["System"],
  taskscheduler: ["Microsoft-Windows-TaskScheduler/Operational"],
  "terminalservices-localsessionmanager": ["Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"],
  vhdmp: ["Microsoft-Windows-VHDMP/Operational", "Microsoft-Windows-VHDMP-Operational"],
  windefend: ["Microsoft-Windows-Windows Defender/Operational"],
  wmi: ["Microsoft-Windows-WMI-Activity/Operational"],
};

interface Category {
  readonly channels: readonly string[];
  readonly ids: readonly number[];
  /** Sysmon's `EventType` where one event id holds several categories. */
  readonly eventTypes?: readonly string[];
}

function sysmon(...ids: readonly number[]): Category {
  return { channels: [SYSMON], ids };
}

/** Category to channels and event ids; the ones without (file_access, file_rename: ETW only) restrict nothing. */
const CATEGORIES: Readonly<Record<string, Category>> = {
  process_creation: sysmon(1),
  file_change: sysmon(2),
  network_connection: sysmon(3),
  sysmon_status: sysmon(4, 16),
  process_termination: sysmon(5),
  driver_load: sysmon(6),
  image_load: sysmon(7),
  create_remote_thread: sysmon(8),
  raw_access_thread: sysmon(9),
  process_access: sysmon(10),
  file_event: sysmon(11),
  registry_event: sysmon(12, 13, 14),
  registry_add: { ...sysmon(12), eventTypes: ["CreateKey"] },
  registry_delete: { ...sysmon(12), eventTypes: ["DeleteKey", "DeleteValue"] },
  registry_set: sysmon(13),
  registry_rename: sysmon(14),
  create_stream_hash: sysmon(15),
  pipe_created: sysmon(17, 18),
  wmi_event: sysmon(19, 20, 21),
  dns_query: sysmon(22),
  file_delete: sysmon(23, 26),
  clipboard_capture: sysmon(24),
  process_tampering: sysmon(25),
  file_delete_detected: sysmon(26),
  file_block_executable: sysmon(27),
  file_block_shredding: sysmon(28),
  file_executable_detected: sysmon(29),
  sysmon_error: sysmon(255),
  ps_classic_start: { channels: ["Windows PowerShell"], ids: [400] },
  ps_classic_provider_start: { channels: ["Windows PowerShell"], ids: [600] },
  ps_classic_script: { channels: ["Windows PowerShell"], ids: [800] },
  ps_module: { channels: POWERSHELL, ids: [4103] },
  ps_script: { channels: POWERSHELL, ids: [4104] },
};

export interface Route {
  readonly query: Query;
  /** Whether the table says nothing of the log source, so the rule is tried on every event. */
  readonly unknown: boolean;
}

/**
 * What the log source asks of a Windows event, beside what the rule asks. Events of another product never match.
 * A category or service that the table does not know restricts nothing, and is reported by `unknown`.
 */
export function routeOf({ product, category, service }: LogSource): Route {
  if (product !== undefined && foldCase(product) !== "windows")
    return { query: { kind: "constant", value: false }, unknown: false };
  const parts: Query[] = [];
  const channels = service === undefined ? undefined : own(SERVICES, foldCase(service));
  const placed = category === undefined ? undefined : own(CATEGORIES, foldCase(category));
  if (channels !== undefined) parts.push(oneOf("Channel", channels));
  if (placed !== undefined) {
    parts.push(oneOf("Channel", placed.channels), oneOf("EventID", placed.ids.map(String)));
    if (placed.eventTypes !== undefined) parts.push(oneOf("EventType", placed.eventTypes));
  }
  const unknown = (service !== undefined && channels === undefined) || (category !== undefined && placed === undefined);
  return { query: parts.length === 0 ? ALWAYS : allOf(parts), unknown };
}

function oneOf(field: string, values: readonly string[]): Query {
  const texts = values.map(foldCase).sort();
  return testOf(field, { kind: "text", place: "equals", texts, view: { cased: false, dash: false } });
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Whether a filter for one log source covers a rule of another: what the filter names must be named alike. */
export function coversLogSource(filter: LogSource, rule: LogSource): boolean {
  const same = (a: string | undefined, b: string | undefined): boolean =>
    a === undefined || (b !== undefined && foldCase(a) === foldCase(b));
  return (
    same(filter.product, rule.product) && same(filter.category, rule.category) && same(filter.service, rule.service)
  );
}
