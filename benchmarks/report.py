"""From measurements to a table. Ratios are formed pair by pair within a run."""
import statistics

HEADINGS = ("figure", "ours", "reference", "ratio", "target", "")


def spread(values):
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "values": values}


def row(figure, runs):
    """One figure of the counted runs, each a dictionary of results by peer. A ratio needs both of a run."""
    ours = [figure.of(run["ours"]) for run in runs if "ours" in run]
    pairs = [run for run in runs if "ours" in run and figure.reference in run]
    references = [figure.of(run[figure.reference]) for run in pairs]
    ratios = [figure.of(run["ours"]) / value for run, value in zip(pairs, references) if value > 0]
    out = {"figure": figure.title, "unit": figure.unit, "ours": spread(ours), "reference_peer": figure.reference,
           "reference": spread(references), "ratio": spread(ratios), "target": figure.target and str(figure.target)}
    out["verdict"] = verdict(figure.target, out)
    return out


def verdict(target, out):
    if target is None:
        return "" if out["ours"] else "not measured"
    measured = out[target.subject]
    if measured is None:
        return "not measured"
    return "met" if target.met(measured["median"]) else "MISSED"


def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def shown(measured, unit=""):
    if measured is None:
        return "-"
    unit = f" {unit}" if unit else ""
    return f"{number(measured['median'])} ({number(measured['min'])} to {number(measured['max'])}){unit}"


def cells(out):
    peer = out["reference_peer"]
    reference = f"{peer} {shown(out['reference'])}" if peer else ""
    return (out["figure"], shown(out["ours"], out["unit"]), reference, shown(out["ratio"]) if peer else "",
            out["target"] or "", out["verdict"])


def table(rows):
    lines = [HEADINGS, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
