#!/usr/bin/env python3
"""The figures a replay of an Online Retail file must report, from nothing but the file: a second opinion.

    gunzip -c tests/data/online-retail-2010-12.csv.gz | python3 tests/data/figures.py

It shares no code with the suite. A difference is a defect of one of the two.
"""

import csv
import io
import json
import sys
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal


def pence(amount):
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_EVEN))


def given_back(line, units):
    """What the first `units` of a line come to; the difference of two of these is a refund."""
    return int((Decimal(line["worth"]) * units / line["bought"]).quantize(Decimal(1), ROUND_HALF_EVEN))


def main():
    text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace", newline="")
    orders, purchases, changes = {}, defaultdict(list), {}
    seen = defaultdict(int)
    for row in csv.DictReader(text):
        if not row["CustomerID"].strip():
            seen["rows_skipped"] += 1
            continue
        invoice, units = row["InvoiceNo"], int(row["Quantity"])
        key = (row["CustomerID"], row["StockCode"])
        if not invoice.startswith("C"):
            worth = pence(units * Decimal(row["UnitPrice"]))
            line = {"order": invoice, "bought": units, "left": units, "worth": worth, "gone": 0}
            orders.setdefault(invoice, []).append(line)
            purchases[key].append(line)
            continue
        wanted, missing = -units, -units
        for line in reversed(purchases[key]):
            taken = min(line["left"], missing)
            if taken:
                line["left"] -= taken
                missing -= taken
                changes.setdefault((invoice, line["order"]), []).append((line, taken))
        seen["cancellation_lines"] += 1
        seen["units"] += wanted
        seen["units_matched"] += wanted - missing
        seen["fully_matched" if not missing else "unmatched" if missing == wanted else "partly_matched"] += 1
    refunded = 0
    for lines in changes.values():
        for line, taken in lines:
            refunded += given_back(line, line["gone"] + taken) - given_back(line, line["gone"])
            line["gone"] += taken
    lines = [line for order in orders.values() for line in order]
    seen.update(
        orders=len(orders),
        lines=len(lines),
        placed_minor=sum(line["worth"] for line in lines),
        change_orders=len(changes),
        orders_changed=len({order for _, order in changes}),
        orders_wholly_cancelled=sum(all(not line["left"] for line in order) for order in orders.values()),
        units_cancelled=sum(line["gone"] for line in lines),
        refunded_minor=refunded,
    )
    json.dump(seen, sys.stdout, indent=2, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
