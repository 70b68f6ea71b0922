"""Real tables that `table_prior` is judged on, and others that its choices were made on.

    python -m benchmarks.suites.table_prior.tables     writes build/tables/

They come as those of benchmarks/suites/real_tables.py do. Nobody but `evaluate` may look at JUDGED.
"""

from benchmarks.suites.real_tables import TABLES, Real, write

# What was looked at while choosing the network, the prior and the settings.
CHOSEN_ON = (
    Real("contraception", "mlmRev/Contraception", "use", without=("woman",)),
    Real("digits", "", "target"),
    Real(
        "hawks", "Stat2Data/Hawks", "Species", without=("BandNumber", "CaptureTime", "ReleaseTime")
    ),
    Real("hmda", "AER/HMDA", "deny"),
    Real("mroz", "carData/Mroz", "lfp"),
    Real("nass_cds", "DAAG/nassCDS", "dead", without=("caseid", "injSeverity"), rows=4_000),
    Real("pima", "MASS/Pima.te", "type"),
    Real("smoke_ban", "AER/SmokeBan", "smoker", rows=3_000),
    Real("wine", "", "target"),
    Real("yogurt", "Ecdat/Yogurt", "choice", without=("id",)),
)

# Listed before any score on them was seen: all tables with classes that the defaults of the other
# models are held against, and more of the same sources, from 263 rows on, with 2 to 5 classes, 4 to
# 130 columns, some with gaps. Columns left out hold the outcome, or the number of the row.
JUDGED = (
    *(table for table in TABLES if table.name not in ("boston", "concrete", "diabetes", "wage")),
    Real("arrests", "carData/Arrests", "released"),
    Real("biopsy", "MASS/biopsy", "class", without=("ID",)),
    Real("brain_injury", "DAAG/headInjury", "clinically.important.brain.injury"),
    Real("breast_cancer", "", "target"),
    Real("caravan", "ISLR/Caravan", "Purchase"),
    Real("chile", "carData/Chile", "vote"),
    Real("churn_mlc", "modeldata/mlc_churn", "churn"),
    Real("churn_wa", "modeldata/wa_churn", "churn"),
    Real("credit_card", "AER/CreditCard", "card", without=("share", "expenditure")),
    Real("email", "openintro/email", "spam", without=("time",)),
    Real("flchain", "survival/flchain", "death", without=("futime", "chapter")),
    Real("health_insurance", "AER/HealthInsurance", "insurance"),
    Real("heating", "Ecdat/Heating", "depvar", without=("idcase",)),
    Real("homeless", "mosaicData/HELPrct", "homeless", without=("id",)),
    Real("juice", "ISLR/OJ", "Purchase"),
    Real("olive", "dslabs/olive", "region", without=("area",)),
    Real("pancreatitis", "medicaldata/indo_rct", "outcome", without=("id",)),
    Real("stackoverflow", "modeldata/stackoverflow", "Remote"),
    Real("titanic", "carData/TitanicSurvival", "survived"),
    Real("treatment", "Ecdat/Treatment", "treat"),
    Real("union", "Ecdat/Males", "union", without=("nr",)),
    Real("wells", "carData/Wells", "switch"),
)


if __name__ == "__main__":
    for path in write((*CHOSEN_ON, *JUDGED)):
        print(path)
