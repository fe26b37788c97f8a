"""Our time beside the raw drivers' time: ``python -m benchmarks`` (``make bench``).

    timing       batches of ours and raw in turn; knows neither databases nor what is timed
    data         what all adapters are asked: one table of eight columns, the statements, the types of rows
    workloads/   per adapter: our side, the raw side written by hand, and how both are opened and closed
    planning     what a statement that was never seen costs before it is sent
    imports      ``import sqlspec`` in fresh processes
    report       figures into Markdown and JSON, and into a document between two comments
    targets      what we want, and whether it was reached
    web/         the web plugin beside what others do: ``python -m benchmarks.web`` (``make bench-web``)

The raw side is what a careful programmer writes for this one statement: no layer, no check, the quickest public way of
the driver. Both sides give the same answer; that is checked before anything is timed.
"""
