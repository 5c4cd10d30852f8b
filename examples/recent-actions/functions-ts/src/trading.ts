// The trading account as the two services see it: a booking goes in, a booking with a ticket number comes out.

import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";

/** What a service is asked to book. Other fields pass through untouched. */
export interface Booking {
  amount?: number;
  accountNumber?: string;
  clientId?: string;
  /** Makes the booking fail, for a test or a demonstration. */
  fail?: boolean;
  /** Makes the booking slow, in milliseconds. */
  sleepMs?: number;
}

/** Returns the function that books a `kind` of action. It throws an `Error` when the booking is refused. */
export const book =
  (kind: string) =>
  async (booking: Booking): Promise<Booking & { ticketNumber: string }> => {
    if (booking.sleepMs) await setTimeout(booking.sleepMs);
    if (booking.fail) throw new Error(`${kind} was refused by the trading account`);
    if (!(Number(booking.amount) > 0)) throw new Error(`${kind} needs an amount above zero`);
    return { ...booking, ticketNumber: randomUUID() };
  };
