"""Every row that the click log can have: the best sum of tables, without sampling.

82,944 cells times 400 campaigns. A sum of tables whose loss is least has equal entries
for Monday to Friday, and for Saturday and Sunday, since the truth has. So `weekday` has
two values here, the working day first.
"""
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from deepfm_tutorial.datasets.click_log import (
    BIAS,
    CATEGORIES,
    frequencies,
    planted_effects,
)

FIELDS = tuple(CATEGORIES)  # weekday is the first, campaign the last
SHAPE = (2, *(len(CATEGORIES[field]) for field in FIELDS[1:]))
CELLS = SHAPE[:-1]  # all fields but the campaign
HALVES = slice(4), slice(4, None)
MATRIX = tuple(int(np.prod(CELLS[half])) for half in HALVES)  # 432 x 192
EDGES = np.linspace(-12, 12, 2 ** 16)  # of the logits' bins, for the AUC


def shares():
    """How often each category comes: field -> (its size,)."""
    share = frequencies()
    week = share["weekday"]
    return share | {"weekday": np.array([week[:5].sum(), week[5:].sum()])}


def truth(orders=(1, 2, 3)):
    """The planted tables, with the bias as the table of no field."""
    tables = {fields: table[[0, -1]] if fields[0] == "weekday" else table
              for fields, table in planted_effects().items() if len(fields) in orders}
    return {(): np.array(BIAS), **tables}


def size(fields):
    """The shape of a table of these fields."""
    return tuple(SHAPE[FIELDS.index(field)] for field in fields)


def along(fields, table):
    """The table as an array with an axis for each field of `CELLS`."""
    return table.reshape([n if f in fields else 1 for f, n in zip(FIELDS, CELLS)])


def logits(tables):
    """Yield the logits of all cells, a matrix for each campaign.

    Its rows are the cells of the first four fields, its columns those of the others.
    """
    base = sum(along(fields, table) for fields, table in tables.items()
               if "campaign" not in fields)
    base = np.broadcast_to(base, CELLS).reshape(MATRIX)
    rows, columns = (np.zeros((*CELLS[half], SHAPE[-1])) for half in HALVES)
    for fields, table in tables.items():
        if fields == ("campaign",):
            rows += table
        elif "campaign" in fields:
            axis = FIELDS.index(fields[0])
            half, first = (rows, 0) if axis < 4 else (columns, 4)
            shape = [1] * (half.ndim - 1)
            shape[axis - first] = -1
            half += table.reshape(*shape, SHAPE[-1])
    rows, columns = rows.reshape(-1, SHAPE[-1]), columns.reshape(-1, SHAPE[-1])
    for number in range(SHAPE[-1]):
        yield base + rows[:, None, number] + columns[:, number]


def marginal(cells, fields):
    """The sum of the cells over all fields but these."""
    return cells.sum(axis=tuple(axis for axis, field in enumerate(FIELDS[:-1])
                                if field not in fields))


class Fit:
    """The mean log loss of a sum of tables, and its gradient, over the population.

    Calling it takes all tables' entries as one vector, and returns loss and gradient.
    """

    def __init__(self, tables):
        self.sizes = {fields: size(fields) for fields in tables}
        share = shares()
        cell = np.ones(CELLS)
        for field in FIELDS[:-1]:
            cell = cell * along((field,), share[field])
        self.cell, self.campaign = cell.reshape(MATRIX), share["campaign"]
        self.p = [expit(z) for z in logits(truth())]

    def tables(self, numbers):
        """One vector, as tables."""
        ends = np.cumsum([int(np.prod(s)) for s in self.sizes.values()])
        parts = np.split(numbers, ends[:-1])
        return {fields: part.reshape(s)
                for (fields, s), part in zip(self.sizes.items(), parts)}

    def numbers(self, tables):
        """Tables as one vector; those that the form lacks are left out."""
        return np.concatenate([np.ravel(tables.get(fields, np.zeros(s)))
                               for fields, s in self.sizes.items()])

    def __call__(self, numbers):
        loss, total = 0.0, np.zeros(MATRIX)
        sums = [np.zeros((n, SHAPE[-1])) for n in MATRIX]
        for number, z in enumerate(logits(self.tables(numbers))):
            p, share = self.p[number], self.campaign[number]
            e = np.exp(-z)
            slope = self.cell * (1 / (1 + e) - p)  # of the loss ln(1 + e^z) - p z
            loss += share * np.vdot(self.cell, np.log(1 + e) + (1 - p) * z)
            total += share * slope
            for half, axis in zip(sums, (1, 0)):
                half[:, number] = share * slope.sum(axis)
        total = total.reshape(CELLS)
        sums = [half.reshape(*CELLS[part], -1) for half, part in zip(sums, HALVES)]
        return loss, self.numbers({
            fields: _slopes(total, sums, fields) for fields in self.sizes})

    def best(self, start, steps=80):
        """The tables of the least loss, sought from `start`."""
        found = minimize(self, self.numbers(start), jac=True, method="L-BFGS-B",
                         options={"maxiter": steps, "gtol": 1e-7, "ftol": 1e-12,
                                  "maxcor": 20})
        print(found.message, found.nit, f"largest slope {np.abs(found.jac).max():.1e}")
        return self.tables(found.x)

    def auc(self, scores):
        """The AUC of logits, an array for each campaign."""
        clicks, others = np.zeros((2, len(EDGES) + 1))
        for z, p, share in zip(scores, self.p, self.campaign):
            bins = ((z - EDGES[0]) / (EDGES[1] - EDGES[0])).astype(int).ravel()
            for sums, part in ((clicks, p), (others, 1 - p)):
                sums += np.bincount(bins, share * (self.cell * part).ravel(), len(sums))
        below = np.cumsum(others) - others / 2
        return clicks @ below / (clicks.sum() * others.sum())


def _slopes(total, sums, fields):
    """The loss's slope by a table: the sum of the slopes of the cells that it is in."""
    if fields == ("campaign",):
        return sums[0].sum(axis=(0, 1, 2, 3))
    if "campaign" not in fields:
        return marginal(total, fields)
    axis = FIELDS.index(fields[0])
    half, first = (sums[0], 0) if axis < 4 else (sums[1], 4)
    return half.sum(axis=tuple(a for a in range(half.ndim - 1) if a + first != axis))
