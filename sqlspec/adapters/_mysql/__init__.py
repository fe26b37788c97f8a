"""What the adapters of the PyMySQL family share: asyncmy, aiomysql and pymysql have one and the same insides.

``options.py`` reads what users write, ``literals.py`` writes values into statements, ``_async/`` (and its twin) runs
them. No driver is imported here.
"""
