import { openEmbeddedBus } from "@culprit/bus";
import { deliveryContract, deliveryPartitions } from "./delivery.contract.ts";

deliveryContract("embedded", () => openEmbeddedBus({ partitions: deliveryPartitions }));
