"""Records of the module `logging` as events of a session."""

import logging

import datacat

session = datacat.open(product="logging example", version="1.0")
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
logging.getLogger().addHandler(datacat.DatacatHandler(session))

log = logging.getLogger("shop.checkout")
log.info("order %d placed", 4711, extra={"customer": "ada"})
log.warning("stock of %s is low", "pens")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("could not compute the discount")

session.end()
print(session.session_id)
