/** Who runs the command, as the machine knows them. */
import { userInfo } from "node:os";

/** A container may run under a user that has no name. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "culprit";
  }
}
