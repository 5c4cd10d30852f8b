// The function behind the state 'Deposit to trading account'.

import { book } from "./trading";

export const handler = book("Deposit");
