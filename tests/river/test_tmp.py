import time, json, asyncio
from collections import Counter
async def test_x(gateway, services):
    t=time.perf_counter()
    db=gateway.world.database
    for n in range(3):
        s=db.statements; c=len(services.calls)
        t=time.perf_counter()
        r = await gateway.dashboard()
        print(r.status, time.perf_counter()-t, "stmts", db.statements-s, "calls", len(services.calls)-c)
        if n==0: print(services.per_endpoint)
        for k,a in r.answers.items():
            print(k, a["freshness"]["tier"], a["freshness"]["state"],a["freshness"]["origin"], [(s["service"],s["origin"]) for s in a["freshness"]["sources"]], a["withheld"] and (a["withheld"]["reason"],a["withheld"]["message"]), a["quality"]["level"])
async def test_y(gateway, services):
    print(await services.turn("course","failing"))
    r = await gateway.dashboard()
    for k,a in r.answers.items():
        print(k, a["freshness"]["tier"], a["freshness"]["state"],a["freshness"]["origin"], [(s["service"],s["origin"]) for s in a["freshness"]["sources"]], a["withheld"] and (a["withheld"]["reason"],a["withheld"]["message"]), a["quality"]["level"])
