import { type Fact, HOUR_MS } from "@culprit/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  emptyTopology,
  learn,
  noteHost,
  relationsOf,
  resolveHost,
  type Topology,
  witnessedClusters,
} from "./topology.ts";

const T = Date.parse("2026-03-10T02:00:00Z");

function learned(kind: Fact["kind"], from: string, to: string, validFrom = T): Fact {
  return { kind, from, to, validFrom, source: "learned" };
}

function topologyOf(...facts: Fact[]): Topology {
  const topology = emptyTopology();
  for (const fact of facts) learn(topology, fact);
  return topology;
}

test("F45 a live migration ends one placement and begins another, whichever is learned first", () => {
  const facts = [learned("runs-on", "VM1", "hv1", T), learned("runs-on", "VM1", "hv2", T + HOUR_MS)];
  for (const order of [facts, facts.toReversed()]) {
    const topology = topologyOf(...order);
    expect(relationsOf(topology, "vm1.contoso.com", T + 1_000).hypervisor).toBe("hv1");
    expect(relationsOf(topology, "vm1", T + 2 * HOUR_MS).hypervisor).toBe("hv2");
    expect(relationsOf(topology, "vm1", T - HOUR_MS).hypervisor).toBe("hv1");
  }
});

test("the file wins over what was learned", () => {
  const topology = topologyOf(learned("member-of-cluster", "n1", "GUESS"), {
    kind: "member-of-cluster",
    from: "n1.contoso.com",
    to: "CLU1",
    source: "file",
  });
  expect(relationsOf(topology, "n1.contoso.com", T).cluster).toBe("CLU1");
});

test("a guest is protected by its own server and by that of its host", () => {
  const topology = topologyOf(
    learned("runs-on", "vm1", "hv1"),
    learned("protected-by", "hv1", "DPM1"),
    learned("protected-by", "vm1", "dpm2"),
  );
  expect(relationsOf(topology, "vm1", T).protectionServers).toEqual(["dpm1", "dpm2"]);
});

test("nodes that speak of each other are one cluster, in any order of learning", () => {
  const pairs = [
    ["hv12", "hv11"],
    ["hv13", "hv12"],
    ["hv14", "hv13"],
  ] as const;
  fc.assert(
    fc.property(fc.shuffledSubarray([...pairs], { minLength: pairs.length }), (order) => {
      const topology = topologyOf(...order.map(([from, to]) => learned("peer-of", from, to)));
      expect(["hv11", "hv12", "hv13", "hv14"].map((host) => relationsOf(topology, host, T).cluster)).toEqual(
        Array(4).fill("cluster of hv11"),
      );
    }),
  );
});

test("a fact about one node names the cluster of its peers", () => {
  const topology = topologyOf(learned("peer-of", "n2", "n1"), {
    kind: "member-of-cluster",
    from: "n1",
    to: "CLU1",
    source: "file",
  });
  expect(relationsOf(topology, "n2", T).cluster).toBe("CLU1");
});

test("a short name is the full one of the speaker's domain; of two domains neither is guessed", () => {
  const topology = emptyTopology();
  noteHost(topology, "dc1.contoso.com");
  expect(resolveHost(topology, "DC1", "web1.adatum.com")).toBe("dc1.contoso.com");
  noteHost(topology, "dc1.adatum.com");
  expect(resolveHost(topology, "DC1", "web1.adatum.com")).toBe("dc1.adatum.com");
  expect(resolveHost(topology, "DC1", "web1.fabrikam.com")).toBe("dc1");
  expect(resolveHost(topology, "nobody", "web1.adatum.com")).toBe("nobody");
});

test("the PDC emulator of a domain is one of its controllers", () => {
  const topology = topologyOf(
    { kind: "pdc-emulator-of", from: "dc1.contoso.com", to: "Contoso.com", source: "file" },
    { kind: "domain-controller-of", from: "dc2", to: "contoso.com", source: "file" },
  );
  expect(relationsOf(topology, "dc1.contoso.com", T)).toMatchObject({
    controllerOf: ["contoso.com"],
    pdcOf: ["contoso.com"],
  });
  expect(relationsOf(topology, "dc2.contoso.com", T)).toMatchObject({ controllerOf: ["contoso.com"] });
  expect(relationsOf(topology, "web1.contoso.com", T)).not.toHaveProperty("controllerOf");
});

test("learning the same again is no news; a witness is told of its cluster", () => {
  const topology = emptyTopology();
  expect(learn(topology, learned("witness-of", "fsw", "CLU1"))).toBe(true);
  expect(learn(topology, learned("witness-of", "FSW", "clu1", T + 5))).toBe(false);
  expect(witnessedClusters(topology, "fsw.contoso.com", T)).toEqual(["CLU1"]);
});
