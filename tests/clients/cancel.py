#!/usr/bin/env python3
"""Drives the suite with Google's own gRPC implementation: place, preview, cancel, be refused, read the refusal.

    python cancel.py PROTO_DIRECTORY ORDER_ADDRESS INVENTORY_ADDRESS

Needs grpcio, grpcio-tools and grpcio-status. Exits 0 when everything answered as the contract says.
"""

import sys
import tempfile
import uuid
from pathlib import Path

import grpc
import grpc_tools
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc


def generate(protos):
    out = tempfile.mkdtemp()
    files = [str(path.relative_to(protos)) for path in Path(protos).rglob("*.proto")]
    known = Path(grpc_tools.__file__).parent / "_proto"
    code = protoc.main(["protoc", f"-I{protos}", f"-I{known}", f"--python_out={out}", f"--grpc_python_out={out}", *files])
    assert code == 0, "the contracts compile with protoc"
    sys.path.insert(0, out)


def main():
    protos, order_address, inventory_address = sys.argv[1:4]
    generate(protos)
    from countermand.common.v1 import values_pb2
    from countermand.inventory.v1 import stock_service_pb2 as stock
    from countermand.inventory.v1 import stock_service_pb2_grpc as stock_grpc
    from countermand.order.v1 import change_order_pb2 as change
    from countermand.order.v1 import change_order_service_pb2 as changes
    from countermand.order.v1 import change_order_service_pb2_grpc as changes_grpc
    from countermand.order.v1 import order_pb2 as order
    from countermand.order.v1 import order_service_pb2 as orders
    from countermand.order.v1 import order_service_pb2_grpc as orders_grpc

    order_channel = grpc.insecure_channel(order_address)
    stocks = stock_grpc.StockServiceStub(grpc.insecure_channel(inventory_address))
    order_service = orders_grpc.OrderServiceStub(order_channel)
    change_service = changes_grpc.ChangeOrderServiceStub(order_channel)
    headers = [("x-countermand-user", "python"), ("x-countermand-role", "staff")]
    call = {"timeout": 10, "metadata": headers}
    new_id = lambda: str(uuid.uuid4())
    sku = "PY-" + new_id()[:8]

    warehouse = stock.Warehouse(warehouse_id="main", kind=stock.WAREHOUSE_KIND_OWN, priority=1, active=True)
    stocks.UpsertWarehouse(stock.UpsertWarehouseRequest(request_id=new_id(), warehouse=warehouse), **call)
    received = stock.StockAdjustment(warehouse_id="main", sku=sku, delta=3)
    stocks.AdjustStock(stock.AdjustStockRequest(request_id=new_id(), adjustments=[received]), **call)

    placed = order_service.CreateOrder(
        orders.CreateOrderRequest(
            request_id=new_id(),
            currency_code="GBP",
            lines=[orders.LineInput(sku=sku, quantity=3, unit_price="4.25")],
            tenders=[orders.TenderInput(gateway="sandbox", payment_token="tok_approve", amount_minor=1275, capture_now=True)],
            wait=values_pb2.WAIT_COMPLETED,
        ),
        **call,
    ).order
    assert placed.state == order.ORDER_STATE_CONFIRMED, placed

    wanted = changes.ChangeInput(
        order_id=placed.order_id,
        type=change.CHANGE_ORDER_TYPE_CANCEL_ITEMS,
        lines=[changes.ChangeLineInput(line_number=1, quantity=2)],
        reason_code="CUSTOMER_REQUEST",
    )
    quote = change_service.PreviewChangeOrder(changes.PreviewChangeOrderRequest(change=wanted), **call)
    assert quote.amounts.amount_minor == 850, quote
    submitted = change_service.SubmitChangeOrder(
        changes.SubmitChangeOrderRequest(
            request_id=new_id(), change=wanted, quote_id=quote.quote_id, wait=values_pb2.WAIT_COMPLETED
        ),
        **call,
    ).change_order
    assert submitted.state == change.CHANGE_ORDER_STATE_COMPLETED, submitted
    assert [refund.amount_minor for refund in submitted.refunds] == [850], submitted

    try:
        change_service.SubmitChangeOrder(changes.SubmitChangeOrderRequest(request_id=new_id(), change=wanted), **call)
        raise AssertionError("two units of the one that is left were cancelled")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.FAILED_PRECONDITION, error
        status = rpc_status.from_call(error)
        info = error_details_pb2.ErrorInfo()
        assert any(detail.Unpack(info) for detail in status.details), "the refusal carries ErrorInfo"
        assert (info.reason, info.domain) == ("QUANTITY_EXCEEDS_AVAILABLE", "countermand"), info
    print("placed, previewed, cancelled and refused as the contract says")


if __name__ == "__main__":
    main()
